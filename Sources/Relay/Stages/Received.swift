/// A request that found its way in: the bytes, and the door they came through.
package struct Received: Sendable {
    package var request: Request
    package let entrance: Entrance
    /// What its credential proved beside who sent it; nothing before it is authenticated.
    package var proof = Proof()

    package init(_ request: consuming Request, through entrance: Entrance) {
        self.request = request
        self.entrance = entrance
    }
}

/// The door a request came through. It decides how the sender proves itself and how the payload is read.
package enum Entrance: Sendable, Equatable {
    /// `/hooks/{source}`, or `/hooks/{source}/{token}`: a partner's webhook.
    case hook(Source)
    /// `/client/{vendor}`: a client app with a vendor's simplified payload.
    case client(vendor: String)
    /// Adapty's own path: a caller that would otherwise talk to Adapty. The path's version decides which fields are
    /// read; how the call is answered is up to the upstream's, which may be another:
    ///
    /// | path | upstream | fields that are set | answer |
    /// |---|---|---|---|
    /// | v2 | v2 | the 16 | 200 with a blank body |
    /// | v1 | v2 | the 13; others are ignored, as Adapty does | 200 with a blank body |
    /// | v1 | v1 | the 13 | 200 with the profile |
    /// | v2 | v1 | the 13; the other three are ignored, and 400 where nothing else is there | 200 with the profile |
    ///
    /// Reading is v2's alone: GET of an app whose upstream is v1 is 405.
    case dropIn(APIVersion)
}

/// One configured sender of webhooks. A class: it goes with every request, and no request changes it.
package final class Source: Sendable, Hashable {
    package let name: String
    package let vendor: String
    package let app: String
    /// Its token stands in the path: `/hooks/{source}/{token}`. Other sources have no such path.
    package let hasTokenInPath: Bool
    /// False for one that is kept in the configuration, and of which nothing is taken for now.
    package let isEnabled: Bool
    /// Those of its signed messages that were answered 2xx.
    package let answered: AnsweredMessages
    /// The web pages that may call it, where any may.
    package let origins: Origins

    package init(
        name: String, vendor: String, app: String, hasTokenInPath: Bool = false, isEnabled: Bool = true,
        origins: Origins = .none, answered: AnsweredMessages = AnsweredMessages()
    ) {
        self.name = name
        self.vendor = vendor
        self.app = app
        self.hasTokenInPath = hasTokenInPath
        self.isEnabled = isEnabled
        self.answered = answered
        self.origins = origins
    }

    package static func == (left: Source, right: Source) -> Bool {
        left === right
            || (left.name == right.name && left.vendor == right.vendor && left.app == right.app
                && left.hasTokenInPath == right.hasTokenInPath)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Which of Adapty's two shapes is spoken: v2 with 16 identifiers and a blank answer, or v1 with 13 and a
/// ProfileResponse.
package enum APIVersion: String, Sendable, CaseIterable {
    case v1, v2
}
