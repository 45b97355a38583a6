//! Lengths of time as people write them: `500ms`, `15m`, `1h30m`; and ISO-8601 for Kafka's tools.

use std::time::Duration;

/// Reads `1h30m`, `15m`, `10s`, `500ms`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let malformed = || format!("`{text}` is not a duration; use 500ms, 10s, 15m, 1h30m or 2d");
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| malformed());
    }
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(malformed());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(malformed)?;
        let number: u64 = rest[..digits].parse().map_err(|_| malformed())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit_ms = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(malformed()),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(malformed)?;
        total = total.checked_add(Duration::from_millis(ms)).ok_or_else(malformed)?;
        rest = &rest[letters..];
    }
    Ok(total)
}

/// Reads `P1DT2H3M4.5S`, as `java.time.Duration` does.
pub fn parse_iso_duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (days, times) = match rest.split_once('T') {
        Some((days, times)) if !times.is_empty() => (days, times),
        Some(_) => return None,
        None => (rest, ""),
    };
    let mut seconds = 0.0;
    if !days.is_empty() {
        seconds += 86_400.0 * days.strip_suffix('D')?.parse::<f64>().ok()?;
    }
    let mut rest = times;
    for (letter, unit) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, after)) = rest.split_once(letter) {
            seconds += unit * number.parse::<f64>().ok()?;
            rest = after;
        }
    }
    let said_something = !days.is_empty() || !times.is_empty();
    if !rest.is_empty() || !said_something {
        return None;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("500ms", 500),
            ("10", 10_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "m", "5x", "-3s", "99999999999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn iso_durations_are_read_as_java_reads_them() {
        let seconds = |text| parse_iso_duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("PT1H30M"), Some(5400.0));
        assert_eq!(seconds("P1DT0.5S"), Some(86_400.5));
        for text in ["", "P", "PT", "1H", "PT5", "PT1S1H"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
