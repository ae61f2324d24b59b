/// `log`: what is said on standard output.
package struct LogConfiguration: Sendable, Equatable {
    /// The words of swift-log.
    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// How a profile is named in the log: users' ids may be e-mail addresses.
    package enum Profiles: String, Sendable, CaseIterable {
        /// A hash that is the same for the same profile, so that its lines can be found.
        case hashed
        case plain
        case none
    }

    /// Default: info.
    package let level: Level
    /// Default: hashed.
    package let profiles: Profiles

    init(_ section: Section) {
        level = section.value("level", .choice, default: Level.info)
        profiles = section.value("profiles", .choice, default: Profiles.hashed)
    }
}
