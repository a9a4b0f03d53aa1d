//! Times as people read them. Written by hand because the module for WASI carries no calendar crate.

/// Seconds since 1970 as `2026-11-20T19:50:00Z`.
pub fn utc(seconds: u64) -> String {
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second_of_day / 3600,
        second_of_day / 60 % 60,
        second_of_day % 60
    )
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, RFC 3339 in UTC, as whole seconds since 1970; none for anything else, other
/// offsets and earlier dates included.
pub fn parse_utc(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if year < 1970 || !(1..=12).contains(&month) || !(1..=month_length(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = (1970..year).map(year_length).sum::<u64>()
        + (1..month).map(|month| month_length(year, month)).sum::<u64>()
        + (day - 1);
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Three numbers of exactly so many digits.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// A duration as `14 min 59 s`, the largest two units.
pub fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Year, month and day of a day since 1970 in the Gregorian calendar: whole years, then whole months are taken off.
fn civil(days: u64) -> (u64, u64, u64) {
    // No answer of a provider may make this loop long: later than the year 9999 is shown as its last day.
    let mut rest = days.min(2_932_896);
    let mut year = 1970;
    while rest >= year_length(year) {
        rest -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while rest >= month_length(year, month) {
        rest -= month_length(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

fn year_length(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::{parse_utc, span, utc};

    #[test]
    fn times_are_written_as_people_read_them_and_read_back() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (1_795_200_465, "2026-11-20T18:47:45Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds), shown);
            assert_eq!(parse_utc(shown), Some(seconds));
        }
        assert_eq!(utc(u64::MAX), "9999-12-31T07:00:15Z");
        assert_eq!(parse_utc("1970-01-01T00:00:01.123456Z"), Some(1));
    }

    #[test]
    fn other_spellings_of_a_time_are_refused() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T18:42:45",
            "2026-11-20T18:42:45+00:00",
            "2026-11-20 18:42:45Z",
            "2026-02-29T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T18:60:45Z",
            "2026-11-20T18:42:60Z",
            "2026-11-20T18:42:45.Z",
            "1969-12-31T23:59:59Z",
            "+026-11-20T18:42:45Z",
        ] {
            assert_eq!(parse_utc(text), None, "{text}");
        }
    }

    #[test]
    fn spans_show_two_units() {
        for (seconds, shown) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (899, "14 min 59 s"), (3600, "1 h"), (21_599, "5 h 59 min")]
        {
            assert_eq!(span(seconds), shown);
        }
    }
}
