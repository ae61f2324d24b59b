// arrivals: sends events to a server on this machine, each when it is due, and says how long each took from then on.
//
// With a rate, requests are due at times that the server has no part in. One that is due while all connections are busy
// waits here, and that wait counts: a server that stops for a second is charged with every request that would have come
// in that second. Without a rate each connection sends its next request when it has its answer: for the highest rate.
//
// Prints one line: requests, those not answered 200, microseconds from the begin to the last answer; and of latencies
// p50, p99, p99.9 and the longest, in microseconds. Exits 1 where it cannot say so.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: arrivals [OPTION...] PORT PATH\n"
    "  -b FILE   post webhooks with this payload, in which `user-8f3c9a`, `6513894` and the event time stand for what\n"
    "            differs between events\n"
    "  -k KEY    post a client app's requests instead, with this client key\n"
    "  -c N      connections, 64 by default\n"
    "  -r N      requests due in a second; 0, the default, is as many as are answered\n"
    "  -j SEED   random times between those that are due (a Poisson process); even ones by default\n"
    "  -d N      end after so many seconds\n"
    "  -n N      end after so many requests\n"
    "  -u NAME   part of each profile's name: runs that share none speak of different profiles\n"
    "  -f N      the number of the first profile\n"
    "  -s N      how often each profile is seen, every 10 * N requests, so that one of N is new; once by default\n"
    "  -p N      choose each request's profile evenly among so many instead\n";

#define SECOND 1000000000LL
enum { apart = 10, number_digits = 8, stamp_length = 23, patience_s = 30 };

static struct {
    const char *payload, *key, *name, *path;
    int64_t connections, rate, seed, requests, first, seen, among;
    double seconds;
    bool random_gaps;
    int port;
} asked = {.name = "0", .connections = 64, .seed = 1, .requests = INT64_MAX, .seen = 1, .seconds = INFINITY};

static int64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static int64_t now(void) { return read_clock(CLOCK_MONOTONIC); }

// MARK: The request. Parts that differ have the same length in each, so there is one, in which they are overwritten.

static char *request;
static size_t request_length, id_at, user_at, stamp_at;

// Copies up to the given text, which it leaves out, and returns what follows it.
static const char *copy_until(FILE *out, const char *from, const char *text) {
    const char *found = strstr(from, text);
    if (!found) error(1, 0, "%s does not hold `%s` where it is expected", asked.payload, text);
    fwrite(from, 1, found - from, out);
    return found + strlen(text);
}

static char *read_file(const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "r");
    if (!in || getdelim(&text, &size, 0, in) < 0) error(1, errno, "%s", path);
    fclose(in);
    return text;
}

static void make_request(void) {
    char *body, blank_stamp[stamp_length + 1];
    size_t body_length, head_length;
    memset(blank_stamp, '0', stamp_length);
    blank_stamp[stamp_length] = 0;

    FILE *out = open_memstream(&body, &body_length);
    if (asked.payload) {
        char *payload = read_file(asked.payload);
        const char *rest = copy_until(out, payload, "6513894");
        id_at = ftell(out);
        fprintf(out, "%0*d", number_digits, 0);
        rest = copy_until(out, rest, "user-8f3c9a");
        fprintf(out, "user-%s-", asked.name);
        user_at = ftell(out);
        fprintf(out, "%0*d", number_digits, 0);
        rest = copy_until(out, rest, "2026-11-20 10:11:12.345");
        stamp_at = ftell(out);
        fprintf(out, "%s%s", blank_stamp, rest);
        free(payload);
    } else {
        fputs("{\"appsflyer_id\":\"1415211453000-", out);
        id_at = ftell(out);
        fprintf(out, "%0*d\"}", number_digits, 0);
    }
    fclose(out);

    out = open_memstream(&request, &request_length);
    fprintf(out, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", asked.path, asked.port);
    fputs("Content-Type: application/json\r\n", out);
    if (asked.key) {
        fprintf(out, "Authorization: Api-Key %s\r\nadapty-customer-user-id: user-%s-", asked.key, asked.name);
        user_at = ftell(out);
        fprintf(out, "%0*d\r\n", number_digits, 0);
    }
    fprintf(out, "Content-Length: %zu\r\n\r\n", body_length);
    head_length = ftell(out);
    fwrite(body, 1, body_length, out);
    fclose(out);
    free(body);
    id_at += head_length;
    stamp_at += head_length;
    if (asked.payload) user_at += head_length;
}

static double chance(void) { return drand48(); } // from 0, and below 1

static int64_t profile_of(int64_t count) {
    if (asked.among) return asked.first + (int64_t)(chance() * asked.among);
    // One of each turn is new, and the others were first seen so many turns ago.
    int64_t turn = count / asked.seen, older = count % asked.seen;
    return asked.first + turn + apart * (asked.seen - 1 - older);
}

static void put_number(size_t at, int64_t number) {
    for (int digit = number_digits; digit-- > 0; number /= 10) request[at + digit] = '0' + number % 10;
}

// Vendors send each event with its own time. It is written anew before a profile's turn comes again: so each event of a
// profile is later than that before it.
static void put_stamp(void) {
    static int64_t stamp_ms;
    int64_t wall_ms = read_clock(CLOCK_REALTIME) / 1000000;
    stamp_ms = wall_ms > stamp_ms ? wall_ms : stamp_ms + 1;
    struct tm parts;
    char text[64];
    size_t length = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&(time_t){stamp_ms / 1000}, &parts));
    snprintf(text + length, sizeof text - length, ".%03d", (int)(stamp_ms % 1000));
    memcpy(request + stamp_at, text, stamp_length);
}

static void prepare_request(int64_t count) {
    int64_t profile = profile_of(count);
    if (profile >= 100000000) error(1, 0, "profiles have %d digits", number_digits);
    if (asked.payload && count % (apart * asked.seen) == 0) put_stamp();
    put_number(id_at, profile);
    put_number(user_at, profile);
}

// MARK: Latencies: counted by size, each size less than a hundredth from the next

enum { exact = 128, sizes = exact * 58 };
static int64_t counts[sizes], longest_us;

static void count_latency(int64_t us) {
    int shift = us < 2 * exact ? 0 : 63 - __builtin_clzll(us) - 7;
    counts[shift * exact + (us >> shift)]++;
    if (us > longest_us) longest_us = us;
}

// Rounded up, but never beyond the longest.
static int64_t quantile(double part, int64_t all) {
    int64_t rank = ceil(part * all), size = 0;
    for (int64_t seen = counts[0]; seen < rank; seen += counts[size]) size++;
    int shift = size < 2 * exact ? 0 : size / exact - 1;
    int64_t us = ((size - (int64_t)shift * exact + 1) << shift) - 1;
    return us < longest_us ? us : longest_us;
}

// MARK: Connections

struct connection {
    int fd;
    int64_t due;
    size_t have; // of the answer
    char answer[4096];
};
static struct connection *connections;
// A ring of those without a request: taken in turn, so that none is silent for so long that the server ends it.
static struct connection **idle;
static int64_t idle_first, idle_count;

static void put_idle(struct connection *one) {
    idle[(idle_first + idle_count++) % asked.connections] = one;
}

static struct connection *take_idle(void) {
    struct connection *one = idle[idle_first];
    idle_first = (idle_first + 1) % asked.connections;
    idle_count--;
    return one;
}

static void open_connections(int poll) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(asked.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connections = calloc(asked.connections, sizeof *connections);
    idle = calloc(asked.connections, sizeof *idle);
    if (!connections || !idle) error(1, errno, "%ld connections", (long)asked.connections);
    for (int64_t n = 0; n < asked.connections; n++) {
        struct connection *one = &connections[n];
        one->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (one->fd < 0 || connect(one->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0 ||
            fcntl(one->fd, F_SETFL, O_NONBLOCK) < 0 ||
            epoll_ctl(poll, EPOLL_CTL_ADD, one->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = one}) < 0)
            error(1, errno, "connection %ld to port %d", (long)n + 1, asked.port);
        put_idle(one);
    }
}

static void send_request(struct connection *one, int64_t count, int64_t due) {
    prepare_request(count);
    one->due = due;
    one->have = 0;
    // A connection has one request in flight, which its buffer always has room for.
    ssize_t sent = send(one->fd, request, request_length, MSG_NOSIGNAL);
    if (sent != (ssize_t)request_length) error(1, sent < 0 ? errno : 0, "a request was not sent");
}

// The status, or 0 while the answer is not there in full.
static int read_answer(struct connection *one) {
    ssize_t got = recv(one->fd, one->answer + one->have, sizeof one->answer - 1 - one->have, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got < 0) error(1, errno, "an answer was not received");
    if (got == 0) error(1, 0, "the server ended a connection, or answers more than %zu bytes", sizeof one->answer);
    one->have += got;
    one->answer[one->have] = 0;
    char *head_end = strstr(one->answer, "\r\n\r\n");
    if (!head_end) return 0;
    char *length = strcasestr(one->answer, "\r\nContent-Length:");
    if (!length || length > head_end) error(1, 0, "an answer without Content-Length: %s", one->answer);
    size_t whole = head_end + 4 - one->answer + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    if (one->have > whole) error(1, 0, "more than was asked for: %s", one->answer);
    return one->have < whole ? 0 : atoi(one->answer + strlen("HTTP/1.1 "));
}

// MARK: The run

static void run(void) {
    int poll = epoll_create1(0);
    open_connections(poll);
    double gap = asked.rate ? (double)SECOND / asked.rate : 0;
    int64_t begin = now(), time = begin, last_answer = begin, progress = begin;
    int64_t end = asked.seconds < 1e6 ? begin + asked.seconds * SECOND : INT64_MAX;
    int64_t given_up = end == INT64_MAX ? end : end + 2 * patience_s * SECOND;
    int64_t issued = 0, answered = 0, wrong = 0;
    double due = begin; // of the next request that is not sent yet

    while (true) {
        bool more;
        while ((more = issued < asked.requests && (asked.rate ? due : time) < end) && idle_count > 0) {
            if (asked.rate && due > time) break;
            send_request(take_idle(), issued++, asked.rate ? due : time);
            due += asked.random_gaps ? -log(1 - chance()) * gap : gap;
            progress = time = now();
        }
        if (!more && idle_count == asked.connections) break;
        if (time - progress > patience_s * SECOND && idle_count < asked.connections)
            error(1, 0, "no answer within %d seconds", patience_s);
        if (time > given_up) error(1, 0, "%ld answers, and the rest is late by a minute", (long)answered);

        int64_t wait = more && idle_count > 0 && due - time < SECOND ? due - time : SECOND;
        struct timespec until = {wait / SECOND, wait % SECOND};
        struct epoll_event events[256];
        int ready = epoll_pwait2(poll, events, 256, &until, NULL);
        if (ready < 0 && errno != EINTR) error(1, errno, "epoll_pwait2");
        time = now();
        for (int n = 0; n < ready; n++) {
            struct connection *one = events[n].data.ptr;
            int status = read_answer(one);
            if (status == 0) continue;
            if (status != 200 && wrong++ == 0) fprintf(stderr, "answered: %s\n", one->answer);
            last_answer = progress = now();
            count_latency((last_answer - one->due) / 1000);
            answered++;
            put_idle(one);
        }
    }
    if (answered == 0) error(1, 0, "no request was due");
    printf("%ld %ld %ld %ld %ld %ld %ld\n", (long)answered, (long)wrong, (long)(last_answer - begin) / 1000,
        (long)quantile(0.5, answered), (long)quantile(0.99, answered), (long)quantile(0.999, answered),
        (long)longest_us);
}

static int64_t whole(int option, const char *text, int64_t least) {
    char *rest;
    errno = 0;
    long long value = strtoll(text, &rest, 10);
    if (errno || rest == text || *rest || value < least)
        error(1, 0, "-%c: `%s` is no whole number from %ld on", option, text, (long)least);
    return value;
}

static double duration(const char *text) {
    char *rest;
    double value = strtod(text, &rest);
    if (rest == text || *rest || !(value > 0)) error(1, 0, "-d: `%s` is no number of seconds", text);
    return value;
}

int main(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "b:k:c:r:j:d:n:u:f:s:p:")) != -1) {
        switch (option) {
        case 'b': asked.payload = optarg; break;
        case 'k': asked.key = optarg; break;
        case 'c': asked.connections = whole(option, optarg, 1); break;
        case 'r': asked.rate = whole(option, optarg, 0); break;
        case 'j': asked.random_gaps = true; asked.seed = whole(option, optarg, 0); break;
        case 'd': asked.seconds = duration(optarg); break;
        case 'n': asked.requests = whole(option, optarg, 1); break;
        case 'u': asked.name = optarg; break;
        case 'f': asked.first = whole(option, optarg, 0); break;
        case 's': asked.seen = whole(option, optarg, 1); break;
        case 'p': asked.among = whole(option, optarg, 1); break;
        default: fputs(usage, stderr); return 1;
        }
    }
    if (argc - optind != 2 || !asked.payload == !asked.key || (isinf(asked.seconds) && asked.requests == INT64_MAX)) {
        fprintf(stderr, "%sA port, a path, one of -b and -k, and one of -d and -n are needed.\n", usage);
        return 1;
    }
    asked.port = atoi(argv[optind]);
    if (asked.port < 1 || asked.port > 65535) error(1, 0, "`%s` is no port", argv[optind]);
    asked.path = argv[optind + 1];
    srand48(asked.seed);
    // By default the kernel may wake us 50 us late, which would be counted as the server's.
    prctl(PR_SET_TIMERSLACK, 1);
    make_request();
    run();
    return 0;
}
