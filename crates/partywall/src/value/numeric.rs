//! `numeric`, for both decimals.
//!
//! It travels as a header of four 16-bit words (how many digits, the weight of the first digit, the
//! sign, how many decimal digits to display behind the point) and then base-10000 digits, most
//! significant first, without leading or trailing zeros. Source: `numeric_send` in
//! `src/backend/utils/adt/numeric.c`.

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, Zero};
use bytes::{BufMut, BytesMut};
use rust_decimal::Decimal;

use super::error::Fault;
use super::variant::Variant;

const BASE: u128 = 10_000;
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
/// A decimal's mantissa has 96 bits.
const MANTISSA_MAX: u128 = (1 << 96) - 1;
/// What `numeric` holds at most: digits behind the point, and before it.
const SCALE_MAX: i64 = 16_383;
const WHOLE_MAX: i64 = 131_072;

/// A finite `numeric` as it was received.
struct Numeric<'raw> {
    negative: bool,
    /// The number of digits behind the point that are to be displayed.
    scale: u16,
    /// The power of 10000 that the last digit counts.
    exponent: i32,
    digits: &'raw [u8],
}

impl<'raw> Numeric<'raw> {
    fn parse(raw: &'raw [u8]) -> Result<Self, Fault> {
        let (header, digits) = raw.split_first_chunk::<8>().ok_or(Fault::Malformed)?;
        let [c0, c1, w0, w1, n0, n1, s0, s1] = *header;
        let count = usize::from(u16::from_be_bytes([c0, c1]));
        let negative = match u16::from_be_bytes([n0, n1]) {
            POSITIVE => false,
            NEGATIVE => true,
            0xC000 | 0xD000 | 0xF000 => return Err(Fault::NotFinite),
            _ => return Err(Fault::Malformed),
        };
        if digits.len() != count * 2 {
            return Err(Fault::Malformed);
        }
        let count = i32::try_from(count).map_err(|_| Fault::Malformed)?;
        Ok(Self {
            negative,
            scale: u16::from_be_bytes([s0, s1]),
            exponent: i32::from(i16::from_be_bytes([w0, w1])) - count + 1,
            digits,
        })
    }

    fn digits(&self) -> impl Iterator<Item = u16> {
        let (pairs, _) = self.digits.as_chunks::<2>();
        pairs.iter().map(|pair| u16::from_be_bytes(*pair))
    }
}

/// Reads a decimal of 96 bits. Refuses what would have to be rounded.
pub(super) fn decimal(raw: &[u8]) -> Result<Decimal, Fault> {
    let range = Fault::Range(Variant::Decimal.describe());
    let numeric = Numeric::parse(raw)?;
    let mut mantissa: u128 = 0;
    for digit in numeric.digits() {
        let shifted = mantissa.checked_mul(BASE).ok_or(range)?;
        mantissa = shifted.checked_add(digit.into()).ok_or(range)?;
    }
    let wanted = u32::from(numeric.scale).min(Decimal::MAX_SCALE);
    if mantissa == 0 {
        return Ok(Decimal::new(0, wanted));
    }
    for _ in 0..numeric.exponent {
        mantissa = mantissa.checked_mul(BASE).ok_or(range)?;
    }
    let mut scale = numeric.exponent.min(0).unsigned_abs() * 4;
    // Zeros go, as far as they are not to be displayed or stand in the way of the mantissa.
    while (scale > wanted || mantissa > MANTISSA_MAX) && scale > 0 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        scale -= 1;
    }
    if scale > Decimal::MAX_SCALE {
        return Err(Fault::Digits(Variant::Decimal.describe()));
    }
    while scale < wanted && mantissa * 10 <= MANTISSA_MAX {
        mantissa *= 10;
        scale += 1;
    }
    if mantissa > MANTISSA_MAX {
        return Err(range);
    }
    let mantissa = i128::try_from(mantissa).map_err(|_| range)?;
    let mantissa = if numeric.negative {
        -mantissa
    } else {
        mantissa
    };
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| range)
}

/// Reads a decimal of any size.
pub(super) fn big_decimal(raw: &[u8]) -> Result<BigDecimal, Fault> {
    let numeric = Numeric::parse(raw)?;
    let mut cents = Vec::with_capacity(numeric.digits.len());
    for digit in numeric.digits() {
        cents.push(u8::try_from(digit / 100).map_err(|_| Fault::Malformed)?);
        cents.push(u8::try_from(digit % 100).map_err(|_| Fault::Malformed)?);
    }
    let sign = if numeric.negative {
        Sign::Minus
    } else {
        Sign::Plus
    };
    let number = if cents.is_empty() {
        BigInt::zero()
    } else {
        BigInt::from_radix_be(sign, &cents, 100).ok_or(Fault::Malformed)?
    };
    let scale = -4 * i64::from(numeric.exponent);
    let decimal = BigDecimal::new(number, scale);
    let wanted = i64::from(numeric.scale);
    // The digits between the two scales are zeros.
    Ok(if scale == wanted {
        decimal
    } else {
        decimal.with_scale(wanted)
    })
}

/// Writes a decimal of 96 bits, which always fits.
pub(super) fn encode_decimal(decimal: &Decimal, out: &mut BytesMut) -> Result<(), Fault> {
    let scale = decimal.scale();
    let pad = scale.wrapping_neg() % 4;
    // 96 bits and three decimal digits fit 128 bits.
    let mut rest = decimal.mantissa().unsigned_abs() * 10u128.pow(pad);
    let mut digits = Vec::with_capacity(9);
    while rest > 0 {
        digits.push(u16::try_from(rest % BASE).map_err(|_| Fault::Size)?);
        rest /= BASE;
    }
    let groups = i64::from((scale + pad) / 4);
    put(
        decimal.is_sign_negative(),
        i64::from(scale),
        groups,
        &digits,
        out,
    )
}

/// Writes a decimal of any size.
pub(super) fn encode_big_decimal(decimal: &BigDecimal, out: &mut BytesMut) -> Result<(), Fault> {
    check(decimal)?;
    let (number, scale) = decimal.as_bigint_and_scale();
    if number.is_zero() {
        return put(false, scale.clamp(0, SCALE_MAX), 0, &[], out);
    }
    // So that the point falls between two digits of base 10000.
    let pad = (-scale).rem_euclid(4);
    let mut decimals = number.magnitude().to_radix_be(10);
    decimals.extend((0..pad).map(|_| 0));
    let digits: Vec<u16> = decimals
        .rchunks(4)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |digit, next| digit * 10 + u16::from(*next))
        })
        .collect();
    put(
        number.sign() == Sign::Minus,
        scale.max(0),
        (scale + pad) / 4,
        &digits,
        out,
    )
}

/// Whether `numeric` is large enough for the decimal.
pub(super) fn check(decimal: &BigDecimal) -> Result<(), Fault> {
    if decimal.is_zero() {
        return Ok(());
    }
    let scale = decimal.fractional_digit_count();
    let digits = i64::try_from(decimal.digits()).unwrap_or(i64::MAX);
    if scale > SCALE_MAX || digits.saturating_sub(scale) > WHOLE_MAX {
        return Err(Fault::Range("PostgreSQL's `numeric`"));
    }
    Ok(())
}

/// Writes base-10000 digits that come least significant first, `groups` of them behind the point.
fn put(
    negative: bool,
    scale: i64,
    groups: i64,
    digits: &[u16],
    out: &mut BytesMut,
) -> Result<(), Fault> {
    let total = i64::try_from(digits.len()).map_err(|_| Fault::Size)?;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(zeros..).unwrap_or_default();
    let weight = if digits.is_empty() {
        0
    } else {
        total - groups - 1
    };
    out.put_u16(u16::try_from(digits.len()).map_err(|_| Fault::Size)?);
    out.put_i16(i16::try_from(weight).map_err(|_| Fault::Size)?);
    out.put_u16(if negative && !digits.is_empty() {
        NEGATIVE
    } else {
        POSITIVE
    });
    out.put_u16(u16::try_from(scale).map_err(|_| Fault::Size)?);
    for digit in digits.iter().rev() {
        out.put_u16(*digit);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through_big(text: &str) -> BigDecimal {
        let mut out = BytesMut::new();
        encode_big_decimal(&text.parse().unwrap(), &mut out).unwrap();
        big_decimal(&out).unwrap()
    }

    #[test]
    fn big_decimals_survive() {
        for text in [
            "0",
            "0.000",
            "1",
            "10000",
            "-0.00012",
            "123456.7890",
            "1e40",
            "-7e-30",
        ] {
            let expected: BigDecimal = text.parse().unwrap();
            assert_eq!(through_big(text), expected, "{text}");
        }
        assert_eq!(through_big("1.50").to_string(), "1.50");
    }

    #[test]
    fn what_numeric_cannot_hold_is_refused_without_writing_it_out() {
        for text in ["1e200000000", "1e-200000000"] {
            assert!(check(&text.parse().unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn not_a_number_and_infinities_are_refused() {
        for sign in [0xC0, 0xD0, 0xF0] {
            let raw = [0, 0, 0, 0, sign, 0, 0, 0];
            assert_eq!(decimal(&raw), Err(Fault::NotFinite));
            assert_eq!(big_decimal(&raw), Err(Fault::NotFinite));
        }
    }

    #[test]
    fn decimal_refuses_to_round() {
        let mut out = BytesMut::new();
        let precise: BigDecimal = "0.12345678901234567890123456789012".parse().unwrap();
        encode_big_decimal(&precise, &mut out).unwrap();
        assert_eq!(decimal(&out), Err(Fault::Digits("a 96-bit decimal")));
        out.clear();
        let large: BigDecimal = "79228162514264337593543950336".parse().unwrap();
        encode_big_decimal(&large, &mut out).unwrap();
        assert_eq!(decimal(&out), Err(Fault::Range("a 96-bit decimal")));
    }

    proptest! {
        #[test]
        fn decimals_survive_with_their_scale(
            (low, mid, high, negative, scale)
                in (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0..=28u32)
        ) {
            let expected = Decimal::from_parts(low, mid, high, negative, scale);
            let mut out = BytesMut::new();
            encode_decimal(&expected, &mut out).unwrap();
            let read = decimal(&out).unwrap();
            prop_assert_eq!(read, expected);
            prop_assert_eq!(read.scale(), expected.scale());
        }

        #[test]
        fn any_bytes_are_an_answer(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = decimal(&raw);
            let _ = big_decimal(&raw);
        }
    }
}
