//! H1, CR15: the memory for a head is no more than its limit. The allocator of this binary counts,
//! thread by thread.

use crate::support::{Head, client};
use allocation_counter::measure;
use ws_proto::handshake::{HandshakeError, HeadLimits, ServerHandshake};
use ws_proto::{REPLY_ROOM, SliceOutput};

const PIECES: [usize; 9] = [1, 2, 7, 100, 1000, 4097, 8191, 9000, 16383];

/// Calls `read` with slices of `head` of this size. Whenever memory is allocated, it is one
/// allocation of at most `limit` bytes, and after each read no more is held. (While the memory
/// grows, the old allocation and the new one exist at the same time.)
fn check(limit: usize, head: &[u8], piece: usize, mut read: impl FnMut(&mut [u8])) {
    let (mut head, limit) = (head.to_vec(), limit as u64);
    let (mut held, mut allocations) = (0, 0);
    for piece in head.chunks_mut(piece) {
        let info = measure(|| read(piece));
        assert!(
            info.count_total <= 1 && info.bytes_total <= limit,
            "{info:?} of {limit}"
        );
        held += info.bytes_current;
        allocations += info.count_total;
        assert!(held <= limit as i64, "{held} of {limit}");
    }
    // By doubling, up to the limit.
    let most = u64::from((limit as u32 / piece as u32).max(1).ilog2()) + 2;
    assert!(
        (u64::from(piece < head.len())..=most).contains(&allocations),
        "{allocations} in pieces of {piece} of {limit}"
    );
}

fn long(head: Head, limit: usize) -> Vec<u8> {
    let rest = limit - head.clone().with("X: ").text().len();
    head.with(&format!("X: {}", "x".repeat(rest))).bytes()
}

#[test]
fn h1_a_server_holds_no_more_than_the_limit_of_a_head() {
    for limit in [1000, 1025, 9000, 16 * 1024] {
        let limits = HeadLimits::new().with_max_bytes(limit);
        for piece in PIECES {
            let whole = long(Head::request(), limit);
            assert_eq!(whole.len(), limit);
            for (head, result) in [
                (whole.clone(), Ok(true)),
                (
                    [&whole[..limit - 4], b"xxxx"].concat(),
                    Err(HandshakeError::HeadTooLarge { limit }),
                ),
            ] {
                let (mut server, mut memory, mut last) = (
                    ServerHandshake::new().limits(limits),
                    [0; REPLY_ROOM],
                    Ok(false),
                );
                check(limit, &head, piece, |mut input| {
                    last = server
                        .recv(&mut input, &mut SliceOutput::new(&mut memory))
                        .map(|request| request.is_some());
                });
                assert_eq!(last, result);
            }
        }
    }
}

#[test]
fn cr15_a_client_holds_no_more_than_the_limit_of_a_head() {
    for limit in [1000, 1025, 9000, 16 * 1024] {
        let limits = HeadLimits::new().with_max_bytes(limit);
        for piece in PIECES {
            let (mut client, mut last) = (client().limits(limits), Ok(false));
            check(limit, &long(Head::response(), limit), piece, |mut input| {
                last = client.recv(&mut input).map(|answer| answer.is_some());
            });
            assert_eq!(last, Ok(true));
        }
    }
}
