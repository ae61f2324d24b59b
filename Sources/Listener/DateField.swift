import Glibc
import Relay

/// The value of `Date`, written once a second. RFC 9110 section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
struct DateField {
    private var second = Int.min
    private var text: [UInt8] = []

    mutating func text(at time: Timestamp) -> [UInt8] {
        let now = Int(time.milliseconds / 1000)
        if now != second {
            second = now
            text = Self.format(now)
        }
        return text
    }

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func format(_ second: Int) -> [UInt8] {
        var second = time_t(second)
        var time = tm()
        gmtime_r(&second, &time)
        let date = "\(padded(time.tm_mday)) \(months[Int(time.tm_mon)]) \(1900 + time.tm_year)"
        let clock = "\(padded(time.tm_hour)):\(padded(time.tm_min)):\(padded(time.tm_sec))"
        return Array("\(days[Int(time.tm_wday)]), \(date) \(clock) GMT".utf8)
    }

    private static func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : String(number) }
}
