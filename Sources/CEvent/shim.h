// fd_set must be known before event2/event.h declares a function over it; the other order makes Foundation refuse the
// module.
#include <sys/select.h>
#include <event2/event.h>

// Swift's Glibc module is built without _GNU_SOURCE, and so lacks these three that the loop needs.
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int pthread_setname_np(pthread_t thread, const char *name);
