//! Captures of packets: pcap and pcapng, down to TCP segments.

use crate::finding::Show;
use crate::input::Error;
use crate::streams::Streams;
use crate::tcp::Segment;
use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, LegacyPcapReader, Linktype, PcapBlockOwned, PcapError, PcapNGReader};
use std::io::{self, Cursor, Read};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The length of the buffer, and its limit: no packet is as long.
const BUFFER: usize = 1 << 20;
const MAX_BUFFER: usize = 1 << 26;

/// Whether a file begins like a capture.
pub fn is_capture(start: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 7] = [
        PCAPNG,
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0xd4, 0xc3, 0xb2, 0xa1],
        // With nanoseconds.
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x4d, 0x3c, 0xb2, 0xa1],
        // Modified by Alexey Kuznetsov.
        [0xa1, 0xb2, 0xcd, 0x34],
        [0x34, 0xcd, 0xb2, 0xa1],
    ];
    MAGIC.iter().any(|magic| start.starts_with(magic))
}

const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// The packets of a capture that could not be used.
#[derive(Default)]
pub struct Packets {
    pub count: u64,
    /// The fragments of IP packets.
    pub fragments: u64,
    /// The number of packets that were truncated when they were captured.
    pub cut: u64,
    /// The link type that is unknown, if one is.
    pub link: Option<i32>,
    /// Whether the file ends inside a packet.
    pub is_truncated: bool,
}

/// An interface of a capture.
struct Interface {
    link: Linktype,
    /// The units of a time stamp in a second.
    resolution: u64,
    /// The seconds to add to it.
    offset: i64,
}

impl Interface {
    fn time(&self, stamp: u64) -> Duration {
        let resolution = self.resolution.max(1);
        let seconds = (stamp / resolution).saturating_add_signed(self.offset);
        let nanos = u128::from(stamp % resolution) * 1_000_000_000 / u128::from(resolution);
        Duration::new(seconds, nanos as u32)
    }
}

/// Reads a capture to its end.
pub fn read(
    mut input: impl Read + Send,
    streams: &mut Streams,
    out: &mut dyn Show,
) -> Result<Packets, Error> {
    // The readers expect the first header in one read, which a pipe does not promise.
    let mut start = vec![0; 24];
    input
        .read_exact(&mut start)
        .map_err(|_| "the capture has no complete header".to_owned())?;
    let mut reader: Box<dyn PcapReaderIterator> = if start.starts_with(&PCAPNG) {
        let len = [start[4], start[5], start[6], start[7]];
        let is_big_endian = start[8] == 0x1a;
        let len = if is_big_endian {
            u32::from_be_bytes(len)
        } else {
            u32::from_le_bytes(len)
        } as usize;
        start.resize(len.clamp(start.len(), BUFFER), 0);
        input
            .read_exact(&mut start[24..])
            .map_err(|_| "the capture has no complete header".to_owned())?;
        Box::new(PcapNGReader::new(BUFFER, Cursor::new(start).chain(input)).map_err(broken)?)
    } else {
        Box::new(LegacyPcapReader::new(BUFFER, Cursor::new(start).chain(input)).map_err(broken)?)
    };
    let mut packets = Packets::default();
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut capacity = BUFFER;
    loop {
        match reader.next() {
            Ok((len, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => interfaces.push(Interface {
                        link: header.network,
                        resolution: if header.is_nanosecond_precision() {
                            1_000_000_000
                        } else {
                            1_000_000
                        },
                        offset: 0,
                    }),
                    PcapBlockOwned::Legacy(packet) => {
                        let interface = interfaces
                            .first()
                            .ok_or("the capture has no header".to_owned())?;
                        let stamp = u64::from(packet.ts_sec) * interface.resolution
                            + u64::from(packet.ts_usec);
                        let missing = packet.origlen.saturating_sub(packet.caplen);
                        packets.take(interface, stamp, packet.data, missing, streams, out)?;
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(block)) => {
                        interfaces.push(Interface {
                            link: block.linktype,
                            resolution: block.ts_resolution().unwrap_or(1_000_000),
                            offset: block.ts_offset(),
                        })
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        if let Some(interface) = interfaces.get(packet.if_id as usize) {
                            let stamp = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                            let missing = packet.origlen.saturating_sub(packet.caplen);
                            packets.take(
                                interface,
                                stamp,
                                packet.packet_data(),
                                missing,
                                streams,
                                out,
                            )?;
                        }
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        if let Some(interface) = interfaces.first() {
                            let data = packet.packet_data();
                            let missing = packet.origlen.saturating_sub(data.len() as u32);
                            packets.take(interface, 0, data, missing, streams, out)?;
                        }
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(len);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(broken)?;
            }
            Err(PcapError::BufferTooSmall) if capacity < MAX_BUFFER => {
                capacity *= 2;
                reader.grow(capacity);
            }
            Err(PcapError::UnexpectedEof) => {
                packets.is_truncated = !reader.data().is_empty();
                break;
            }
            Err(error) => return Err(broken(error)),
        }
    }
    Ok(packets)
}

/// The errors of the reader contain the bytes that follow, which do not help.
fn broken<T>(error: PcapError<T>) -> Error {
    Error::from(match error {
        PcapError::ReadError => "the capture cannot be read".to_owned(),
        PcapError::BufferTooSmall => {
            "the capture is broken: a packet is longer than 64 MiB".to_owned()
        }
        PcapError::NomError(_, kind) | PcapError::OwnedNomError(_, kind) => {
            format!("the capture is broken ({kind:?})")
        }
        _ => "the capture ends in its header".to_owned(),
    })
}

impl Packets {
    fn take(
        &mut self,
        interface: &Interface,
        stamp: u64,
        data: &[u8],
        missing: u32,
        streams: &mut Streams,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        self.count += 1;
        self.cut += u64::from(missing > 0);
        let packet = match slice(interface.link, data) {
            Ok(packet) => packet,
            Err(()) => {
                self.link = Some(interface.link.0);
                return Ok(());
            }
        };
        let Some(packet) = packet else {
            return Ok(());
        };
        let (from, to): (IpAddr, IpAddr) = match &packet.net {
            Some(LaxNetSlice::Ipv4(ip)) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ),
            Some(LaxNetSlice::Ipv6(ip)) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ),
            _ => return Ok(()),
        };
        let payload = packet.ip_payload();
        if payload.is_some_and(|payload| payload.fragmented) {
            self.fragments += 1;
            return Ok(());
        }
        let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
            return Ok(());
        };
        let segment = Segment {
            time: interface.time(stamp),
            from: SocketAddr::new(from, tcp.source_port()),
            to: SocketAddr::new(to, tcp.destination_port()),
            seq: tcp.sequence_number(),
            ack: tcp.ack().then(|| tcp.acknowledgment_number()),
            syn: tcp.syn(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
            // Only TCP is at the end of a packet that was truncated.
            missing: if payload.is_some_and(|payload| payload.incomplete) {
                missing
            } else {
                0
            },
        };
        streams.take(&segment, out)
    }
}

/// The layers of a packet; `Err` for an unknown link type.
fn slice(link: Linktype, data: &[u8]) -> Result<Option<LaxSlicedPacket<'_>>, ()> {
    let ether_type = |at: usize, header: usize| {
        let &[high, low] = data.get(at..at + 2)?.first_chunk()?;
        let ether_type = EtherType(u16::from_be_bytes([high, low]));
        Some(LaxSlicedPacket::from_ether_type(
            ether_type,
            data.get(header..)?,
        ))
    };
    Ok(match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
        // The address family in four bytes, and IP, which has its version itself.
        Linktype::NULL | Linktype::LOOP => data
            .get(4..)
            .and_then(|ip| LaxSlicedPacket::from_ip(ip).ok()),
        // Raw IP has several numbers.
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12 | 14) => {
            LaxSlicedPacket::from_ip(data).ok()
        }
        // "Cooked": the capture of all interfaces of a Linux.
        Linktype::LINUX_SLL => ether_type(14, 16),
        Linktype::LINUX_SLL2 => ether_type(0, 20),
        _ => return Err(()),
    })
}
