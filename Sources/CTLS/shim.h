#include <errno.h>
#include <sys/socket.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

// Macros over SSL_CTX_ctrl; Swift does not import macros that take arguments.
static inline int ctls_set_min_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline void ctls_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }

static inline void ctls_set_read_ahead(SSL_CTX *context) { SSL_CTX_set_read_ahead(context, 1); }

static inline void ctls_disable_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

// The options are macros over a macro, SSL_OP_BIT, that Swift does not import either.
static inline void ctls_set_server_options(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

// OpenSSL's own socket BIO sends with write(2), which raises SIGPIPE where the peer is gone. This one does not; all the
// rest of it is OpenSSL's. In C, because what it calls are macros.
static inline int ctls_write(BIO *bio, const char *bytes, int count) {
    int descriptor = (int)BIO_get_fd(bio, NULL);
    errno = 0;
    int sent = (int)send(descriptor, bytes, (size_t)count, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (sent <= 0 && BIO_sock_should_retry(sent)) BIO_set_retry_write(bio);
    return sent;
}

// Made once and kept; NULL without memory.
static inline BIO_METHOD *ctls_socket_method(void) {
    const BIO_METHOD *socket = BIO_s_socket();
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
    if (method == NULL) return NULL;
    BIO_meth_set_write(method, ctls_write);
    BIO_meth_set_read(method, BIO_meth_get_read(socket));
    BIO_meth_set_ctrl(method, BIO_meth_get_ctrl(socket));
    BIO_meth_set_create(method, BIO_meth_get_create(socket));
    BIO_meth_set_destroy(method, BIO_meth_get_destroy(socket));
    return method;
}

// The descriptor stays the caller's.
static inline void ctls_set_descriptor(BIO *bio, int descriptor) { BIO_set_fd(bio, descriptor, BIO_NOCLOSE); }
