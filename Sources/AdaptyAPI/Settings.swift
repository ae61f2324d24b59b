package import Relay

extension AdaptyAPI {
    /// How one app reaches Adapty.
    package struct Settings: Sendable {
        /// `https://api.adapty.io`: scheme, host, perhaps a port and a path in front of Adapty's. No user, query or
        /// fragment.
        package var upstream: String
        package var version: APIVersion
        /// One, or several while a key is rotated; tried in this order.
        package var secretKeys: [Secret]
        /// For name, connection and TLS handshake together.
        package var connectTimeout = Duration.seconds(5)
        /// For one request, all of it.
        package var timeout = Duration.seconds(15)
        /// Most connections a loop opens, and so most requests it has under way; further ones wait for one.
        package var connections = 64
        /// For how long an idle connection is used again. Below the upstream's own keep-alive (60 s is common): of two
        /// ends that give up a connection at once, ours must be the first.
        package var idleTimeout = Duration.seconds(50)
        /// The authorities to trust instead of the system's, in PEM; for a private upstream.
        package var authorities: [UInt8]?
        /// Adapty documents no encoding for a customer user id that is not ASCII: UTF-8 is sent, unless this is false.
        package var passesNonASCII = true

        package init(upstream: String, version: APIVersion = .v2, secretKeys: [Secret]) {
            self.upstream = upstream
            self.version = version
            self.secretKeys = secretKeys
        }

        /// Whether an `AdaptyAPI` can be made of them.
        package func check() throws(Mistake) {
            _ = try Endpoint(upstream, version: version)
            _ = try KeyRing(secretKeys)
        }

        /// What is wrong with them. Never quotes a value: it may hold a secret.
        package struct Mistake: Error, Sendable, Equatable, CustomStringConvertible {
            /// The setting's name in the configuration.
            package let key: String
            package let message: String
            package var description: String { "\(key): \(message)" }

            init(_ key: String, _ message: String) {
                self.key = key
                self.message = message
            }
        }
    }
}
