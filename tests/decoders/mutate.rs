//! Bytes that are almost right: valid ones with a few things changed, most of all where lengths and counts stand.

/// Numbers that have gone wrong in decoders before.
const NUMBERS: [i32; 14] = [-1, -2, 0, 1, 2, 8, 127, 255, 65535, 0xf_ffff, 0x10_0000, 0x1f_fffe, i32::MAX, i32::MIN];
/// No input grows longer.
const MOST: usize = 8 << 10;

/// Draws numbers; the same ones from the same seed.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Less than `count`, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }
}

/// Changes `bytes` a little, with parts of `other` now and then.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], draw: &mut Draw) {
    for _ in 0..=draw.below(4) {
        once(bytes, other, draw);
        bytes.truncate(MOST);
    }
}

fn once(bytes: &mut Vec<u8>, other: &[u8], draw: &mut Draw) {
    let at = draw.below(bytes.len() + 1);
    let end = at + draw.below((bytes.len() - at).min(64) + 1);
    match draw.below(10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << draw.below(8),
        1 if at < bytes.len() => bytes[at] = draw.next() as u8,
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        5 => {
            let from = draw.below(other.len() + 1);
            let part = &other[from..from + draw.below(other.len() - from + 1)];
            bytes.splice(at..end, part.iter().copied());
        }
        6 => {
            let long = (draw.next() as i64) >> draw.below(64);
            overwrite(bytes, at, &long.to_be_bytes());
        }
        7 => bytes.splice(at..at, vec![draw.next() as u8; 1 + draw.below(16)]).for_each(drop),
        _ => {
            let number = NUMBERS[draw.below(NUMBERS.len())];
            let at = length_from(bytes, at).unwrap_or(at);
            let near = if draw.below(3) == 0 { read(bytes, at).wrapping_add(draw.below(7) as i32 - 3) } else { number };
            overwrite(bytes, at, &near.to_be_bytes());
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    bytes.iter_mut().skip(at).zip(with).for_each(|(byte, new)| *byte = *new);
}

fn read(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..at + 4).map_or(0, |four| i32::from_be_bytes(four.try_into().expect("4 bytes")))
}

/// Where, from `at` on, four bytes stand that may be a length: small, and not beyond the end.
fn length_from(bytes: &[u8], at: usize) -> Option<usize> {
    (at..bytes.len().saturating_sub(3)).find(|at| {
        let number = read(bytes, *at);
        number == -1 || (0..=(bytes.len() - at) as i32).contains(&number)
    })
}
