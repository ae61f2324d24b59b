package import Relay

/// All that Patchbay knows of one vendor: where things stand in what it sends, what means nothing there, how it is
/// answered. Data only. The files in `Partners` and the configuration's `vendors:` are written in this; `Plan` makes it
/// fast.
package struct Vendor: Sendable {
    /// As in the configuration and in `/client/{vendor}`.
    package var name: String
    package var identifiers: [Identifier: Places]
    /// The customer's own id of the user.
    package var customerUserID: Places
    /// Adapty's id of the profile. Beats the customer user id: it names one profile, whoever is logged in there.
    package var profileID: Places
    /// Where a customer can put data of his own. `adapty_profile_id` and `adapty_customer_user_id` are looked for there
    /// first, in place of `*`; then in all of the event.
    package var customerData: [String]
    /// Names of members whose contents are about somebody else, a group or whoever made a link: not looked into for
    /// those two.
    package var aboutOthers: [String]
    package var eventTime: [Place]
    /// Arrays whose members are events of their own.
    package var batches: [Place]
    /// What tells an event that Adapty itself sent to the vendor. A UUID that stands for the user there is Adapty's
    /// profile id.
    package var echo: Condition?
    /// Ids that look like the wanted one and are not: they explain an empty result.
    package var lookalikes: [Lookalike]
    /// The short names of `/client/{vendor}`, beside Adapty's own.
    package var clientNames: [Identifier: [String]]
    /// How it is answered where our own words would not do.
    package var dialect: (any Dialect)?

    package struct Lookalike: Sendable {
        package let places: [Place]
        package let because: String

        package init(_ places: Place..., because: String) {
            self.places = places
            self.because = because
        }
    }

    package init(
        _ name: String, identifiers: [Identifier: Places], customerUserID: Places = [], profileID: Places = [],
        customerData: [String] = ["*"], aboutOthers: [String] = [], eventTime: [Place] = [], batches: [Place] = [],
        echo: Condition? = nil,
        lookalikes: [Lookalike] = [], clientNames: [Identifier: [String]] = [:], dialect: (any Dialect)? = nil
    ) {
        self.name = name
        self.identifiers = identifiers
        self.customerUserID = customerUserID
        self.profileID = profileID
        self.customerData = customerData
        self.aboutOthers = aboutOthers
        self.eventTime = eventTime
        self.batches = batches
        self.echo = echo
        self.lookalikes = lookalikes
        self.clientNames = clientNames
        self.dialect = dialect
    }
}

/// The names by which a customer can always speak of a profile, whatever the vendor.
enum CanonicalName {
    static let profileID = "adapty_profile_id"
    static let customerUserID = "adapty_customer_user_id"
}
