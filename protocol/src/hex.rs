//! Bytes as hexadecimal digits.

/// Two lower-case digits for each byte.
pub fn lower(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(lower(&[0, 9, 0xab, 0xff]), "0009abff");
        assert_eq!(lower(&[]), "");
    }
}
