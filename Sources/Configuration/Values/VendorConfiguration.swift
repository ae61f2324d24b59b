package import Relay

/// `vendors.NAME`: a further vendor, or more names for one that is built in. Every key is a list of places: JSON
/// pointers such as /user/id, or names of parameters in a query or a form. Which vendor reads what is not known here;
/// lines are kept for whoever binds these to a vendor and finds a mistake.
package struct VendorConfiguration: Sendable {
    package let name: String
    /// Where the vendor is declared.
    package let line: Int
    /// Where each identifier can stand. Required of a vendor that is not built in.
    package let identifiers: [(identifier: Identifier, places: [Located<String>])]
    /// Where the customer's own id of the user can stand.
    package let customerUserID: [Located<String>]
    /// Where an Adapty profile id can stand.
    package let profileID: [Located<String>]
    /// Where the time of the event can stand.
    package let eventTime: [Located<String>]
    /// Where the list of events stands in a batch.
    package let batch: [Located<String>]
    /// Values that mean that there is no value, beside "", "null" and the like.
    package let nothing: [Located<String>]

    init(_ section: Section, named name: String, isBuiltIn: Bool) {
        self.name = name
        line = section.line()
        let fields = section.lists("identifiers", .place, name: "FIELD") { field in
            guard Identifier(name: field) == nil else { return nil }
            let guess = Identifier.allCases.map(\.name).closest(to: field).map { "; did you mean \"\($0)\"?" } ?? ""
            return "Adapty has no such identifier" + guess
        }
        identifiers = fields.compactMap { field in Identifier(name: field.name).map { ($0, field.values) } }
        customerUserID = section.lines("customer_user_id", .place)
        profileID = section.lines("profile_id", .place)
        eventTime = section.lines("event_time", .place)
        batch = section.lines("batch", .place)
        nothing = section.lines("nothing", .text("a value"))
        if fields.isEmpty, !isBuiltIn {
            section.mistake("identifiers", "a vendor that is not built in must say where its identifiers stand")
        }
    }
}
