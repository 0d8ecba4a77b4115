//! WAV files as they are and as they should not be.

use bytes::Bytes;
use codecs::pcm::{Format, from_samples};
use codecs::wav::{ReadError, WriteError, Writer, encode, read};
use proptest::prelude::*;

const SPEECH: Format = Format {
    rate_hz: 16_000,
    channels: 1,
};

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = name.to_vec();
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    if !body.len().is_multiple_of(2) {
        out.push(0);
    }
    out
}

fn file(chunks: &[Vec<u8>]) -> Bytes {
    let body = [b"WAVE".as_slice(), &chunks.concat()].concat();
    chunk(b"RIFF", &body).into()
}

/// A `fmt ` chunk of `tag`, `channels` and `bits` at 16 kHz.
fn form(tag: u16, channels: u16, bits: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut body = Vec::new();
    body.extend_from_slice(&tag.to_le_bytes());
    body.extend_from_slice(&channels.to_le_bytes());
    body.extend_from_slice(&16_000u32.to_le_bytes());
    body.extend_from_slice(&(16_000 * u32::from(block)).to_le_bytes());
    body.extend_from_slice(&block.to_le_bytes());
    body.extend_from_slice(&bits.to_le_bytes());
    chunk(b"fmt ", &body)
}

#[test]
fn chunks_that_are_not_needed_are_passed_over() {
    let list = chunk(b"LIST", b"INFOICOP\x03\0\0\0abc");
    let wav = file(&[
        list.clone(),
        form(1, 1, 16),
        list,
        chunk(b"data", &[1, 2, 3, 4]),
    ]);
    let wav = read(&wav).unwrap();
    assert_eq!((wav.format, &wav.pcm[..]), (SPEECH, &[1, 2, 3, 4][..]));
}

#[test]
fn samples_may_stand_before_their_format() {
    let wav = file(&[chunk(b"data", &[1, 2]), form(1, 1, 16)]);
    assert_eq!(&read(&wav).unwrap().pcm[..], &[1, 2]);
}

#[test]
fn an_extensible_format_of_pcm_is_read() {
    let mut extended = form(0xFFFE, 1, 16);
    extended[4] = 40;
    extended.extend_from_slice(&[22, 0, 16, 0, 4, 0, 0, 0]);
    extended.extend_from_slice(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    let wav = file(&[extended, chunk(b"data", &[1, 2])]);
    assert_eq!(read(&wav).unwrap().format, SPEECH);
}

#[test]
fn a_file_cut_short_gives_the_whole_samples_it_has() {
    let whole = Bytes::from(encode(SPEECH, &[1, 2, 3, 4, 5, 6]).unwrap());
    let cut = whole.slice(..whole.len() - 1);
    assert_eq!(&read(&cut).unwrap().pcm[..], &[1, 2, 3, 4]);
}

#[test]
fn a_file_whose_writer_never_finished_is_read_to_its_end() {
    let (_, header) = Writer::start(SPEECH);
    let unfinished = Bytes::from([header.as_slice(), &[1, 2, 3, 4]].concat());
    assert_eq!(&read(&unfinished).unwrap().pcm[..], &[1, 2, 3, 4]);
}

#[test]
fn each_unreadable_file_says_why() {
    let data = chunk(b"data", &[1, 2]);
    let refused = |chunks: &[Vec<u8>]| read(&file(chunks)).unwrap_err();
    assert_eq!(read(&Bytes::from_static(b"OggS")), Err(ReadError::NotWav));
    assert_eq!(refused(&[]), ReadError::NoFormat);
    assert_eq!(refused(&[form(1, 1, 16)]), ReadError::NoData);
    assert_eq!(
        refused(&[form(7, 1, 16), data.clone()]),
        ReadError::Codec(7)
    );
    assert_eq!(
        refused(&[form(1, 1, 24), data.clone()]),
        ReadError::Bits(24)
    );
    let short = chunk(b"fmt ", &[1, 0]);
    assert_eq!(refused(&[short, data.clone()]), ReadError::ShortFormat(2));
    let silent = refused(&[form(1, 0, 16), data]);
    assert!(matches!(
        silent,
        ReadError::Contradiction { channels: 0, .. }
    ));
}

#[test]
fn part_of_a_sample_is_not_written() {
    let stereo = Format {
        channels: 2,
        ..SPEECH
    };
    let part = WriteError::PartOfBlock { bytes: 6, block: 4 };
    assert_eq!(encode(stereo, &[0; 6]), Err(part));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        rate_hz in 1u32..400_000,
        channels in 1u16..9,
        blocks in prop::collection::vec(any::<i16>(), 0..300),
    ) {
        let format = Format { rate_hz, channels };
        let pcm = from_samples(blocks.iter().flat_map(|s| vec![*s; usize::from(channels)]));
        let wav = read(&encode(format, &pcm).unwrap().into()).unwrap();
        prop_assert_eq!((wav.format, &wav.pcm[..]), (format, &pcm[..]));
    }

    #[test]
    fn writing_in_pieces_gives_the_file_written_at_once(
        pieces in prop::collection::vec(prop::collection::vec(any::<i16>(), 0..40), 0..10),
    ) {
        let (mut writer, _) = Writer::start(SPEECH);
        let mut pcm = Vec::new();
        for piece in pieces {
            let piece = from_samples(piece);
            writer.push(&piece).unwrap();
            pcm.extend_from_slice(&piece);
        }
        let streamed = [writer.header().as_slice(), &pcm].concat();
        prop_assert_eq!(streamed, encode(SPEECH, &pcm).unwrap());
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&Bytes::from(bytes.clone()));
        let _ = read(&file(&[bytes]));
    }

    #[test]
    fn a_damaged_file_never_panics(at in 0usize..80, value: u8, keep in 0usize..90) {
        let mut bytes = file(&[form(1, 2, 16), chunk(b"LIST", b"odd"), chunk(b"data", &[7; 16])]).to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        bytes.truncate(keep);
        if let Ok(wav) = read(&Bytes::from(bytes)) {
            prop_assert!(wav.pcm.len().is_multiple_of(wav.format.block_bytes()));
        }
    }
}
