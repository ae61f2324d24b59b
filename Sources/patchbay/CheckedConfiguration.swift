import AdaptyAPI
import Authentication
import Configuration
import Glibc
import Relay
import TLS
import Vendors

/// A configuration that was checked with those who will use it, and what the check made of it: whoever holds one can
/// start.
///
/// What was found good is what runs. A file that is read for the check and again for its use may hold something else
/// by then; so the check's own results are kept, and nothing is read twice.
struct CheckedConfiguration: Sendable {
    let configuration: Configuration
    let catalog: VendorCatalog
    /// By the issuer's name, the keys that the configuration itself holds; none of those that are published elsewhere.
    let tokenKeys: [String: [(id: String?, key: VerificationKey)]]
    /// Nil without TLS.
    let tls: TLSContext?

    /// Reads a configuration and checks it.
    /// - Parameter warn: is told what is no mistake but should be seen.
    /// - Throws: every mistake of the file; or the first one that only a stage could find.
    init(contentsOf path: String, warn: (String) -> Void = { _ in }) throws {
        let configuration = try Configuration(contentsOf: path, vendors: Configuration.builtInVendors())
        try self.init(configuration) { warn("\(path): \($0)") }
    }

    init(_ configuration: Configuration, warn: (String) -> Void = { _ in }) throws {
        self.configuration = configuration
        catalog = try configuration.catalog
        for app in configuration.apps {
            do {
                try AdaptyAPI.Settings(app).check()
            } catch {
                throw SettingMistake("apps.\(app.name).\(error.key): \(error.message)")
            }
            if let authorities = app.authorities, TLSCertificate.count(inPEM: authorities.bytes) == 0 {
                throw SettingMistake(
                    "apps.\(app.name).ca_file: no certificate can be read from the file \(authorities.path)")
            }
        }
        var tokenKeys: [String: [(id: String?, key: VerificationKey)]] = [:]
        for issuer in configuration.profileTokens { tokenKeys[issuer.name] = try issuer.readKeys() }
        self.tokenKeys = tokenKeys
        tls = try configuration.tls.map { tls in
            do throws(TLSMistake) {
                let context = try TLSContext(TLSSettings(tls))
                for warning in context.warnings(at: Int64(time(nil))) { warn("tls: \(warning)") }
                return context
            } catch {
                throw tls.mistake(error.key, error.sentence)
            }
        }
    }
}

/// A mistake in a setting, as a sentence with its key.
struct SettingMistake: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
