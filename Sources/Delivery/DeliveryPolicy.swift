/// How hard an app's deliveries may push, and how long they hold on.
package struct DeliveryPolicy: Sendable, Equatable {
    /// Between two attempts when they are evenly paced. Adapty's old figure was 40,000 a minute and app; newer text
    /// gives none.
    package var interval = Duration.seconds(60) / 40_000
    /// Attempts that may go at once after a pause.
    package var burst = 100
    /// Attempts in flight at most.
    package var concurrency = 64
    /// How long a profile that Adapty does not know yet is waited for.
    package var profileWait = Duration.seconds(72 * 3600)
    /// How long an attempt that fails is tried again.
    package var giveUpAfter = Duration.seconds(72 * 3600)
    /// Different profiles that fail on end after which the circuit opens.
    package var circuitFailures = 10
    /// How long an attempt whose end nobody knows may still be taken.
    package var settleAfter = Duration.seconds(60)

    package init() {}
}
