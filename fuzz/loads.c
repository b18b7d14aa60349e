/* Counts the loads from memory of code that was built with -sanitizer-coverage-trace-loads. In C,
   so that the counting is not counted itself. */
#include <stdint.h>

uint64_t loads;

#define COUNT(size) \
  void __sanitizer_cov_load##size(void *place) { \
    (void)place; \
    loads++; \
  }

COUNT(1)
COUNT(2)
COUNT(4)
COUNT(8)
COUNT(16)
