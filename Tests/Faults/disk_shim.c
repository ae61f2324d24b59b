// disk_shim.c: loaded before libc, it stands between a process and its disk. What it does is in the file that
// DISK_SHIM names, mapped, so that the driver changes it while the process runs.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct control {
    volatile int64_t fails;    // not 0: every sync fails with EIO, and nothing of it reaches the disk
    volatile int64_t delay_us; // how long a sync takes beyond what it takes
    volatile int64_t keeps;    // not 0: beside each file stands what a power cut would leave of it, NAME.synced
    volatile int64_t failed;   // syncs that failed so far
};

static struct control *control;
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("DISK_SHIM");
    int descriptor = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (descriptor < 0) return;
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (memory != MAP_FAILED) control = memory;
}

// What was synced is all that a power cut leaves. The copy is renamed: whoever is killed here was not answered yet.
static void keep(int descriptor) {
    char link[64], path[1024], kept[1100], unfinished[1100];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
    path[length] = 0;
    snprintf(kept, sizeof kept, "%s.synced", path);
    snprintf(unfinished, sizeof unfinished, "%s.unfinished", path);
    int source = open(path, O_RDONLY | O_CLOEXEC);
    int copy = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (sendfile(copy, source, NULL, 1 << 24) > 0) {}
    close(source);
    close(copy);
    rename(unfinished, kept);
}

static int sync_file(long call, int descriptor) {
    if (control && control->delay_us) usleep((useconds_t)control->delay_us);
    if (control && control->fails) {
        __atomic_add_fetch(&control->failed, 1, __ATOMIC_RELAXED);
        errno = EIO;
        return -1;
    }
    if (!control || !control->keeps) return (int)syscall(call, descriptor);
    // One after another: of two threads that sync one file the later sync has the later copy.
    pthread_mutex_lock(&keeping);
    int result = (int)syscall(call, descriptor);
    if (result == 0) keep(descriptor);
    pthread_mutex_unlock(&keeping);
    return result;
}

int fsync(int descriptor) { return sync_file(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return sync_file(SYS_fdatasync, descriptor); }
