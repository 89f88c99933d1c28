//! A moment as Java writes it (`Date.toString`), in UTC.

use std::fmt;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Milliseconds since 1970.
pub(super) struct Date(pub(super) i64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1000);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let week_day = DAYS[days.rem_euclid(7) as usize];
        let (mut year, mut day) = (1970, days);
        loop {
            let length = if is_leap(year) { 366 } else { 365 };
            if (0..length).contains(&day) {
                break;
            }
            (year, day) = if day < 0 {
                (year - 1, day + if is_leap(year - 1) { 366 } else { 365 })
            } else {
                (year + 1, day - length)
            };
        }
        let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 0;
        while day >= lengths[month] {
            day -= lengths[month];
            month += 1;
        }
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{week_day} {} {:02} {hour:02}:{minute:02}:{second:02} UTC {year}", MONTHS[month], day + 1)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_java_s() {
        let date = |seconds: i64| Date(seconds * 1000).to_string();
        assert_eq!(date(0), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(date(951_827_696), "Tue Feb 29 12:34:56 UTC 2000");
        assert_eq!(date(1_795_254_223), "Sat Nov 21 09:43:43 UTC 2026");
        assert_eq!(date(4_107_542_399), "Sun Feb 28 23:59:59 UTC 2100", "a century without a leap day");
        assert_eq!(date(-1), "Wed Dec 31 23:59:59 UTC 1969");
    }
}
