import Testing

@testable import Relay

@Suite("The upstream's words in the log")
struct NamingTests {
    @Test(
        "show the profile as the log does, wherever it is quoted, and nothing else",
        arguments: [
            ("u", "curl: upstream u said u, (u) u1 1u \"u\"", "curl: upstream # said #, (#) u1 1u \"#\""),
            ("usr_1", "no usr_1; profile_usr_1, usr_12", "no #; profile_#, usr_12"),
            ("é", "né é", "né #"), ("a", "", ""), ("aa", "aaa aa", "aaa #"),
            ("ann@example.org", "xann@example.orgx", "x#x"),
        ])
    func shown(id: String, words: String, expected: String) throws {
        let profile = try #require(ProfileReference.customerUserID(id))
        #expect(words.naming(profile) { _ in "#" } == expected)
    }
}
