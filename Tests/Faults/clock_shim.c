// clock_shim.c: loaded before libc, it makes a process's time run CLOCK_SPEED times as fast, and sets its wall clock
// off by what the file that CLOCK_SHIM names says, in nanoseconds; the driver changes that while the process runs.
//
// Deadlines that a process gives to the kernel are of its own time; those of epoll_wait and of condition variables,
// which are all that Patchbay waits with, are turned into the kernel's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t second = 1000000000;
static volatile int64_t *wall_offset;
static int64_t speed = 1, begin;

static int64_t kernel_time(clockid_t clock) {
    struct timespec time;
    syscall(SYS_clock_gettime, clock, &time);
    return time.tv_sec * second + time.tv_nsec;
}

__attribute__((constructor)) static void read_settings(void) {
    const char *path = getenv("CLOCK_SHIM"), *fast = getenv("CLOCK_SPEED");
    int descriptor = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        void *memory = mmap(NULL, sizeof *wall_offset, PROT_READ, MAP_SHARED, descriptor, 0);
        close(descriptor);
        if (memory != MAP_FAILED) wall_offset = memory;
    }
    begin = kernel_time(CLOCK_MONOTONIC);
    if (fast && atoll(fast) > 0) speed = atoll(fast);
}

static int64_t shown_time(clockid_t clock) {
    int64_t time = kernel_time(clock) + (kernel_time(CLOCK_MONOTONIC) - begin) * (speed - 1);
    int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    return is_wall && wall_offset ? time + *wall_offset : time;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: case CLOCK_MONOTONIC_RAW: case CLOCK_BOOTTIME: {
        int64_t shown = shown_time(clock);
        time->tv_sec = shown / second;
        time->tv_nsec = shown % second;
        return 0;
    }
    default: return (int)syscall(SYS_clock_gettime, clock, time);
    }
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    int64_t shown = shown_time(CLOCK_REALTIME);
    time->tv_sec = shown / second;
    time->tv_usec = shown % second / 1000;
    return 0;
}

time_t time(time_t *result) {
    time_t shown = shown_time(CLOCK_REALTIME) / second;
    if (result) *result = shown;
    return shown;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout_ms) {
    if (timeout_ms > 0) timeout_ms = (int)((timeout_ms + speed - 1) / speed);
    return (int)syscall(SYS_epoll_pwait, epoll, events, most, timeout_ms, NULL, 8);
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock, const struct timespec *restrict deadline
) {
    // Which clock a condition goes by is not to be asked; a deadline beyond 2001 is the wall clock's.
    clockid_t clock = deadline->tv_sec > second ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    int64_t rest = (deadline->tv_sec * second + deadline->tv_nsec - shown_time(clock)) / speed;
    int64_t until = kernel_time(CLOCK_MONOTONIC) + (rest > 0 ? rest : 0);
    struct timespec real = { until / second, until % second };
    return pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, &real);
}
