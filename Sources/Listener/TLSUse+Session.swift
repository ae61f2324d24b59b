import Relay
import TLS

extension TLSUse {
    init(_ session: TLSSession) {
        self.init(version: session.version, client: session.client.map { $0.commonName ?? $0.fingerprint })
    }
}
