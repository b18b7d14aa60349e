//! Makes captures by hand.

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pcap,
    PcapBigEndian,
    PcapNanoseconds,
    Pcapng,
    PcapngBigEndian,
}

/// The link layer, by its number.
pub const ETHERNET: u32 = 1;
pub const VLAN: u32 = 1 | 1 << 16;
pub const NULL: u32 = 0;
pub const RAW: u32 = 101;
pub const LOOP: u32 = 108;
pub const LINUX_SLL: u32 = 113;
pub const LINUX_SLL2: u32 = 276;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

pub struct Capture {
    pub format: Format,
    pub link: u32,
    pub is_ipv6: bool,
    /// How much of a packet is captured.
    pub snaplen: usize,
    pub ports: (u16, u16),
    bytes: Vec<u8>,
    count: u32,
}

/// A segment: whether the client sends it, its sequence number, that of the other end, its flags,
/// and its payload.
pub type Segment<'a> = (bool, u32, u32, u8, &'a [u8]);

impl Capture {
    pub fn new(format: Format, link: u32, is_ipv6: bool) -> Self {
        let mut this = Self {
            format,
            link,
            is_ipv6,
            snaplen: 1 << 18,
            ports: (50000, 80),
            bytes: Vec::new(),
            count: 0,
        };
        let link = this.link & 0xffff;
        match format {
            Format::Pcap | Format::PcapBigEndian | Format::PcapNanoseconds => {
                this.u32(if format == Format::PcapNanoseconds {
                    0xa1b2_3c4d
                } else {
                    0xa1b2_c3d4
                });
                this.u16(2);
                this.u16(4);
                this.u32(0);
                this.u32(0);
                this.u32(262_144);
                this.u32(link);
            }
            Format::Pcapng | Format::PcapngBigEndian => {
                this.u32(0x0a0d_0d0a);
                this.u32(28);
                this.u32(0x1a2b_3c4d);
                this.u16(1);
                this.u16(0);
                this.u32(u32::MAX);
                this.u32(u32::MAX);
                this.u32(28);
                // An interface, whose unit is a nanosecond.
                this.u32(1);
                this.u32(32);
                this.u16(link as u16);
                this.u16(0);
                this.u32(0);
                this.u16(9);
                this.u16(1);
                this.bytes.extend([9, 0, 0, 0]);
                this.u32(0);
                this.u32(32);
            }
        }
        this
    }

    pub fn simple() -> Self {
        Self::new(Format::Pcap, ETHERNET, false)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn is_big_endian(&self) -> bool {
        matches!(self.format, Format::PcapBigEndian | Format::PcapngBigEndian)
    }

    fn u16(&mut self, value: u16) {
        let bytes = if self.is_big_endian() {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.bytes.extend(bytes);
    }

    fn u32(&mut self, value: u32) {
        let bytes = if self.is_big_endian() {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.bytes.extend(bytes);
    }

    /// Adds a packet, a millisecond after the one before.
    pub fn segment(&mut self, (from_client, seq, ack, flags, payload): Segment<'_>) {
        let mut tcp = Vec::new();
        let (client, server) = self.ports;
        let (from, to) = if from_client {
            (client, server)
        } else {
            (server, client)
        };
        tcp.extend(from.to_be_bytes());
        tcp.extend(to.to_be_bytes());
        tcp.extend(seq.to_be_bytes());
        tcp.extend(ack.to_be_bytes());
        tcp.extend([5 << 4, flags, 255, 255, 0, 0, 0, 0]);
        tcp.extend(payload);
        let address = |is_client: bool, len: usize| {
            let mut address = vec![0; len];
            address[len - 1] = if is_client { 1 } else { 2 };
            address
        };
        let mut packet = match self.link {
            ETHERNET => vec![0; 12],
            VLAN => [vec![0; 12], vec![0x81, 0, 0, 7]].concat(),
            LINUX_SLL => vec![0; 14],
            _ => vec![],
        };
        let ether_type: [u8; 2] = if self.is_ipv6 { [0x86, 0xdd] } else { [8, 0] };
        match self.link {
            ETHERNET | VLAN | LINUX_SLL => packet.extend(ether_type),
            LINUX_SLL2 => {
                packet.extend(ether_type);
                packet.extend([0; 18]);
            }
            NULL => packet.extend([if self.is_ipv6 { 30 } else { 2 }, 0, 0, 0]),
            LOOP => packet.extend([0, 0, 0, if self.is_ipv6 { 30 } else { 2 }]),
            _ => {}
        }
        if self.is_ipv6 {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend((tcp.len() as u16).to_be_bytes());
            packet.extend([6, 64]);
            packet.extend(address(from_client, 16));
            packet.extend(address(!from_client, 16));
        } else {
            packet.extend([0x45, 0]);
            packet.extend((20 + tcp.len() as u16).to_be_bytes());
            packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
            packet.extend(address(from_client, 4));
            packet.extend(address(!from_client, 4));
        }
        packet.extend(tcp);
        self.packet(&packet);
    }

    pub fn packet(&mut self, packet: &[u8]) {
        let captured = &packet[..packet.len().min(self.snaplen)];
        let (len, original) = (captured.len() as u32, packet.len() as u32);
        self.count += 1;
        let millis = self.count;
        match self.format {
            Format::Pcap | Format::PcapBigEndian | Format::PcapNanoseconds => {
                self.u32(1_700_000_000);
                self.u32(
                    millis
                        * if self.format == Format::PcapNanoseconds {
                            1_000_000
                        } else {
                            1000
                        },
                );
                self.u32(len);
                self.u32(original);
                self.bytes.extend(captured);
            }
            Format::Pcapng | Format::PcapngBigEndian => {
                let padding = len.next_multiple_of(4) - len;
                let time = 1_700_000_000_000_000_000 + u64::from(millis) * 1_000_000;
                self.u32(6);
                self.u32(32 + len + padding);
                self.u32(0);
                self.u32((time >> 32) as u32);
                self.u32(time as u32);
                self.u32(len);
                self.u32(original);
                self.bytes.extend(captured);
                self.bytes.extend(vec![0; padding as usize]);
                self.u32(32 + len + padding);
            }
        }
    }

    /// Adds the three packets that open a stream. The first bytes of the ends have the sequence
    /// numbers `client` and `server`.
    pub fn open(&mut self, client: u32, server: u32) {
        self.segment((true, client.wrapping_sub(1), 0, SYN, b""));
        self.segment((false, server.wrapping_sub(1), client, SYN | ACK, b""));
        self.segment((true, client, server, ACK, b""));
    }
}

/// Sends the bytes of the ends in turn, each in one packet.
pub struct Stream {
    pub capture: Capture,
    pub seq: [u32; 2],
}

impl Stream {
    pub fn new(mut capture: Capture) -> Self {
        // The sequence numbers wrap soon.
        let seq = [u32::MAX - 50, u32::MAX - 60];
        capture.open(seq[0], seq[1]);
        Self { capture, seq }
    }

    pub fn client(&mut self, payload: &[u8]) -> &mut Self {
        self.send(0, ACK, payload)
    }

    pub fn server(&mut self, payload: &[u8]) -> &mut Self {
        self.send(1, ACK, payload)
    }

    pub fn send(&mut self, index: usize, flags: u8, payload: &[u8]) -> &mut Self {
        let (seq, ack) = (self.seq[index], self.seq[1 - index]);
        self.capture.segment((index == 0, seq, ack, flags, payload));
        self.seq[index] = seq.wrapping_add(payload.len() as u32);
        self
    }

    pub fn handshake(&mut self) -> &mut Self {
        self.client(REQUEST).server(RESPONSE)
    }
}

pub const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
pub const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
