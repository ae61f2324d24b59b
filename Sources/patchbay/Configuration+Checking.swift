import AdaptyAPI
import Configuration
import Glibc
import Relay
import TLS
import Vendors

extension Configuration {
    /// Reads a configuration, and checks what it says with those who will use it: whoever holds the result can start.
    /// - Parameter warn: is told what is no mistake but should be seen.
    /// - Throws: every mistake of the file; or the first one that only a stage could find.
    init(checking path: String, warn: (String) -> Void = { _ in }) throws {
        let configuration = try Configuration(contentsOf: path, vendors: Self.builtInVendors())
        _ = try configuration.catalog
        for app in configuration.apps {
            do {
                try AdaptyAPI.Settings(app).check()
            } catch {
                throw SettingMistake("apps.\(app.name).\(error.key): \(error.message)")
            }
        }
        for issuer in configuration.profileTokens { _ = try issuer.readKeys() }
        if let tls = configuration.tls {
            do throws(TLSMistake) {
                let context = try TLSContext(TLSSettings(tls))
                for warning in context.warnings(at: Int64(time(nil))) { warn("\(path): tls: \(warning)") }
            } catch {
                throw tls.mistake(error.key, error.sentence)
            }
        }
        self = configuration
    }
}

/// A mistake in a setting, as a sentence with its key.
struct SettingMistake: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
