//! Send a message to many connections, and know how much compression costs.
