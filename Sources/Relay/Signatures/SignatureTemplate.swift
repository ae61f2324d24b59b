/// How a sender signs its requests: what is signed, and where in the request the signature and its time stand. Vendors
/// differ in nothing else, so that each of them is a value of this type; see `SignatureTemplate+Presets.swift`.
package struct SignatureTemplate: Sendable, Equatable {
    /// The header with the signatures.
    package var header: String
    /// What is between two signatures in it; blanks around each do not count.
    package var separator: String
    package var encoding: ByteEncoding
    package var signed: SignedText
    /// When it was signed; nil where the sender does not say.
    package var timestamp: TimestampPlace?
    /// The header that names the message, whenever it is signed anew; nil where there is none.
    package var messageID: String?

    package init(
        header: String, separator: String = ",", encoding: ByteEncoding, signed: SignedText = .body,
        timestamp: TimestampPlace? = nil, messageID: String? = nil
    ) {
        self.header = header
        self.separator = separator
        self.encoding = encoding
        self.signed = signed
        self.timestamp = timestamp
        self.messageID = messageID
    }

    /// Where the time of a signature stands, in Unix seconds or milliseconds.
    package struct TimestampPlace: Sendable, Equatable {
        package var header: String
        /// `t` where the time is what stands behind `t=`, among others that are separated as the signatures are.
        package var parameter: String?
        /// How far the time may be from ours, before it and behind it.
        package var tolerance: Duration

        package init(_ header: String, parameter: String? = nil, tolerance: Duration = .seconds(300)) {
            self.header = header
            self.parameter = parameter
            self.tolerance = tolerance
        }
    }
}
