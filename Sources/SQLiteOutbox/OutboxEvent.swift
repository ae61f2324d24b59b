package import Relay

/// What the store does by itself that a person should hear of.
package enum OutboxEvent: Sendable, Equatable {
    /// Nothing more is accepted by this process: what the file says can be believed again only when it is opened anew.
    case broken(OutboxFailure)
    /// Appends are refused from now on; the store tries by itself whether writing works again.
    case unwritable(OutboxFailure)
    case writable
    /// Dead letters that were kept for as long as the settings say.
    case deadLettersRemoved(app: String, count: Int)
}
