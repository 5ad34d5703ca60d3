// floor: the two ends of the scale on which proxies are measured.
//
//   floor relay LISTEN_PORT ORIGIN_PORT   the least that passing bytes on by read and write can cost
//   floor origin PORT…                    an origin that is never what one waits for
//
// One thread, one epoll set, no dependencies: cc -O2 -o floor floor.c
//
// The relay is no proxy. It takes whatever one read() gives for one request, gives it to an
// upstream connection kept alive from before (the one used last, its memory is warm), counts
// the bytes of the answer and is done. It looks at no header but one, once per upstream
// connection, to learn how long an answer is; so all answers must be of one length, and a
// client may not pipeline. What is left is four system calls per exchange and their price. Who
// splices large bodies, as HAProxy can, goes below it there.
//
// The origin answers any path that ends in a size (/1k, /img/100k, /1m) with a body of that
// size from one block of memory made before. It eats request bodies by Content-Length, keeps
// every connection and answers a pipelined batch with one writev. It knows no chunked bodies.
// Answers below /keep/ may be stored for a day; /asked tells how often anything else was asked for.
// Asked directly, it is the least that a stored answer can cost: one read, one write.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// ---- The loop: connections, and what to do when one is ready ----

// A conn is the first member of everything that waits in the epoll set. Its memory outlives
// its descriptor until the batch of events in hand is worked off: a later one may name it.
struct conn {
	int fd; // -1: closed
	void (*ready)(struct conn *c, unsigned events);
	struct conn *next; // among the dead, or among the idle
};

enum { GONE = EPOLLRDHUP | EPOLLHUP | EPOLLERR };

static int epfd;
static struct conn *dead;
static char buf[256 << 10]; // every read lands here; what cannot go on at once is copied out

static void die(const char *what) {
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *alloc(size_t n) {
	void *p = calloc(1, n);
	if (!p) die("memory");
	return p;
}

// Edge-triggered both ways: one epoll_ctl in a connection's life, and a short read or write
// says that the socket is empty or full (epoll(7)), without a further call to hear EAGAIN.
static void watch(struct conn *c, int fd, void (*ready)(struct conn *, unsigned)) {
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
	c->fd = fd;
	c->ready = ready;
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev)) die("epoll_ctl");
}

static void bury(struct conn *c) {
	close(c->fd);
	c->fd = -1;
	c->next = dead;
	dead = c;
}

static void run(void (*release)(struct conn *)) {
	struct epoll_event evs[512];
	for (;;) {
		int n = epoll_wait(epfd, evs, 512, -1);
		if (n < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < n; i++) {
			struct conn *c = evs[i].data.ptr;
			if (c->fd >= 0) c->ready(c, evs[i].events);
		}
		while (dead) {
			struct conn *c = dead;
			dead = c->next;
			release(c);
		}
	}
}

static struct sockaddr_in loopback(int port) {
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void no_delay(int fd) {
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static int accept_on(struct conn *door) {
	int fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) no_delay(fd);
	return fd;
}

static void listen_on(int port, void (*knock)(struct conn *, unsigned)) {
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4096)) die("listen");
	watch(alloc(sizeof(struct conn)), fd, knock);
}

// number reads the value of the named header in a head that ends with an empty line; 0: none.
static size_t number(const char *head, size_t len, const char *name) {
	size_t n = strlen(name);
	for (const char *p = head, *end = head + len; (p = memchr(p, '\n', end - p)); ) {
		if ((size_t)(end - ++p) <= n) break;
		if (p[n] == ':' && !strncasecmp(p, name, n)) return strtoul(p + n + 1, NULL, 10);
	}
	return 0;
}

// ---- relay ----

// An end is one side of a relayed exchange: a client, or a connection to the origin.
struct end {
	struct conn conn;
	struct end *peer; // where its bytes go; NULL: a client between requests, an idle upstream
	bool upstream;
	size_t answer;	 // upstream: bytes of a whole answer, head and body; 0: not seen one yet
	size_t left;	 // upstream: bytes of this answer that are still to come
	char *rest;	 // bytes its socket did not take yet, from rest+at to rest+upto
	size_t at, upto;
};

static int origin_port;
static struct conn *idle; // upstream connections, the one used last on top

static void relay_ready(struct conn *c, unsigned events);

static void drop_end(struct end *e) {
	if (e->upstream && !e->peer) // it lies among the idle: take it out
		for (struct conn **p = &idle; *p; p = &(*p)->next)
			if (*p == &e->conn) {
				*p = e->conn.next;
				break;
			}
	bury(&e->conn);
}

// An exchange that broke breaks on both sides: nobody knows what the other still waits for.
static void drop(struct end *e) {
	struct end *peer = e->peer;
	drop_end(e);
	if (peer) drop_end(peer);
}

// pair gives a client the warmest upstream connection, or a new one. A blocking connect, for
// on the loopback it takes microseconds, and is made once per connection.
static bool pair(struct end *client) {
	struct end *up = (struct end *)idle;
	if (up) {
		idle = idle->next;
	} else {
		struct sockaddr_in a = loopback(origin_port);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
			perror("floor: connect to origin");
			close(fd);
			return false;
		}
		int on = 1;
		if (ioctl(fd, FIONBIO, &on)) die("ioctl");
		no_delay(fd);
		up = alloc(sizeof *up);
		up->upstream = true;
		watch(&up->conn, fd, relay_ready);
	}
	client->peer = up;
	up->peer = client;
	return true;
}

// part ends an exchange: the client may ask again, the upstream connection is idle.
static void part(struct end *up) {
	up->peer->peer = NULL;
	up->peer = NULL;
	up->conn.next = idle;
	idle = &up->conn;
}

static bool learn(struct end *up, size_t n) {
	char *end = memmem(buf, n, "\r\n\r\n", 4);
	if (!end) return false;
	up->answer = end + 4 - buf + number(buf, end + 4 - buf, "Content-Length");
	return true;
}

static bool count(struct end *up, size_t n) {
	if (!up->left) {
		if (!up->answer && !learn(up, n)) return false;
		up->left = up->answer;
	}
	if (n > up->left) return false;
	up->left -= n;
	return true;
}

// give writes n bytes of buf; what the socket does not take waits in rest.
static bool give(struct end *to, size_t n) {
	ssize_t w = to->rest ? 0 : write(to->conn.fd, buf, n);
	if (w == (ssize_t)n) return true;
	if (w < 0 && errno != EAGAIN) return false;
	if (w < 0) w = 0;
	size_t have = to->upto - to->at;
	char *rest = alloc(have + n - w);
	if (have) memcpy(rest, to->rest + to->at, have);
	memcpy(rest + have, buf + w, n - w);
	free(to->rest);
	to->rest = rest;
	to->at = 0;
	to->upto = have + n - w;
	return true;
}

static bool give_rest(struct end *e) {
	ssize_t w = write(e->conn.fd, e->rest + e->at, e->upto - e->at);
	if (w < 0) return errno == EAGAIN;
	if ((e->at += w) == e->upto) {
		free(e->rest);
		e->rest = NULL;
		e->at = e->upto = 0;
	}
	return true;
}

// pump moves what from has to its peer, and stops when there is no more or the peer is slow.
static void pump(struct end *from, bool gone) {
	for (;;) {
		if (from->peer && from->peer->rest) return; // the kernel holds it, and the sender back
		ssize_t n = read(from->conn.fd, buf, sizeof buf);
		if (n < 0 && errno == EAGAIN) return;
		if (n <= 0) return drop(from);
		if (!from->peer && (from->upstream || !pair(from))) return drop(from);
		if (from->upstream && !count(from, n)) return drop(from);
		if (!give(from->peer, n)) return drop(from);
		if (from->upstream && !from->left) part(from);
		if (n < (ssize_t)sizeof buf && !gone) return;
	}
}

static void relay_ready(struct conn *c, unsigned events) {
	struct end *e = (struct end *)c;
	if (e->rest) {
		if (!give_rest(e)) return drop(e);
		if (!e->rest && e->peer) pump(e->peer, false);
		if (c->fd < 0) return;
	}
	if (events & (EPOLLIN | GONE)) pump(e, events & GONE);
}

static void relay_knock(struct conn *door, unsigned events) {
	(void)events;
	for (int fd; (fd = accept_on(door)) >= 0;) {
		struct end *e = alloc(sizeof *e);
		watch(&e->conn, fd, relay_ready);
	}
}

static void relay_release(struct conn *c) {
	free(((struct end *)c)->rest);
	free(c);
}

// ---- origin ----

// An answer is head and body in one block, made when a size is asked for the first time.
struct answer {
	size_t size; // of the body
	bool keep;   // caches may store it
	size_t head, all;
	char *bytes;
	struct answer *next;
};

// A visitor is one connection to the origin.
struct visitor {
	struct conn conn;
	struct iovec *out; // answers due, oldest first, from out[at] to out[n-1]
	int at, n, cap;
	struct iovec due;  // the answer to the request whose body is being eaten
	size_t body;	   // bytes of that body still to come
	size_t have;	   // bytes in head
	char head[8 << 10]; // a request head of which not all has come
};

static struct answer *answers;
static unsigned long asked; // requests heard

static struct answer *make(size_t size, bool keep) {
	struct answer *a = alloc(sizeof *a);
	char date[64], head[512];
	time_t now = time(NULL);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
	a->size = size;
	a->keep = keep;
	a->head = snprintf(head, sizeof head,
			   "HTTP/1.1 200 OK\r\n"
			   "Server: floor\r\n"
			   "Date: %s\r\n"
			   "Content-Type: application/octet-stream\r\n"
			   "Content-Length: %zu\r\n"
			   "ETag: \"floor-%zu\"\r\n"
			   "%s"
			   "\r\n",
			   date, size, size, keep ? "Cache-Control: max-age=86400\r\n" : "");
	a->all = a->head + size;
	a->bytes = alloc(a->all);
	memcpy(a->bytes, head, a->head);
	for (size_t i = 0; i < size; i++) a->bytes[a->head + i] = 'a' + i % 26; // a byte out of place shows
	a->next = answers;
	return answers = a;
}

static struct answer *answer(size_t size, bool keep) {
	for (struct answer *a = answers; a; a = a->next)
		if (a->size == size && a->keep == keep) return a;
	return make(size, keep);
}

// tell says how often it was asked, to one asker at a time.
static struct iovec tell(void) {
	static char said[128];
	char number[24];
	int n = snprintf(number, sizeof number, "%lu", asked);
	return (struct iovec){said, snprintf(said, sizeof said, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, number)};
}

static bool starts(const char *line, const char *with) { return !strncmp(line, with, strlen(with)); }

// size_of reads the size at the end of the target in "GET /img/100k HTTP/1.1".
static bool size_of(const char *line, const char *end, size_t *size) {
	const char *path = memchr(line, ' ', end - line);
	const char *p = path ? memchr(path + 1, ' ', end - path - 1) : NULL;
	if (!p) return false;
	int shift = p[-1] == 'k' ? 10 : p[-1] == 'm' ? 20 : p[-1] == 'g' ? 30 : 0;
	const char *digits = p - (shift > 0);
	while (digits[-1] >= '0' && digits[-1] <= '9') digits--;
	*size = strtoul(digits, NULL, 10) << shift;
	return *digits >= '0' && *digits <= '9' && *size <= 1 << 30;
}

static void queue(struct visitor *v) {
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 4;
		v->out = realloc(v->out, v->cap * sizeof *v->out);
		if (!v->out) die("memory");
	}
	v->out[v->n++] = v->due;
}

// hear takes one request head. A GET has no body: it is not searched for a length.
static bool hear(struct visitor *v, const char *head, size_t len) {
	size_t size;
	if (starts(head, "GET /asked ")) {
		v->due = tell();
		queue(v);
		return true;
	}
	if (!size_of(head, head + len, &size)) return false;
	asked++;
	struct answer *a = answer(size, starts(head, "GET /keep/"));
	v->due = (struct iovec){a->bytes, memcmp(head, "HEAD ", 5) ? a->all : a->head};
	v->body = memcmp(head, "GET ", 4) ? number(head, len, "Content-Length") : 0;
	if (!v->body) queue(v);
	return true;
}

// listen_to takes all requests that have come, whole or in part.
static bool listen_to(struct visitor *v, size_t n) {
	char *p = buf, *end = buf + n;
	v->have = 0;
	while (p < end) {
		if (v->body) {
			size_t eat = v->body < (size_t)(end - p) ? v->body : (size_t)(end - p);
			p += eat;
			if (!(v->body -= eat)) queue(v);
			continue;
		}
		char *stop = memmem(p, end - p, "\r\n\r\n", 4);
		if (!stop) {
			v->have = end - p;
			if (v->have > sizeof v->head) return false;
			memcpy(v->head, p, v->have);
			break;
		}
		if (!hear(v, p, stop + 4 - p)) return false;
		p = stop + 4;
	}
	return true;
}

static bool speak(struct visitor *v) {
	while (v->at < v->n) {
		int batch = v->n - v->at < 1024 ? v->n - v->at : 1024; // IOV_MAX
		ssize_t w = writev(v->conn.fd, v->out + v->at, batch);
		if (w < 0) return errno == EAGAIN;
		for (; v->at < v->n && (size_t)w >= v->out[v->at].iov_len; v->at++) w -= v->out[v->at].iov_len;
		if (w) {
			v->out[v->at].iov_base = (char *)v->out[v->at].iov_base + w;
			v->out[v->at].iov_len -= w;
		}
	}
	v->at = v->n = 0;
	return true;
}

static void origin_ready(struct conn *c, unsigned events) {
	struct visitor *v = (struct visitor *)c;
	if (v->n && !speak(v)) return bury(c);
	while (!v->n) { // who does not take the answers is not heard further
		memcpy(buf, v->head, v->have);
		ssize_t n = read(c->fd, buf + v->have, sizeof buf - v->have);
		if (n < 0 && errno == EAGAIN) return;
		if (n <= 0) return bury(c);
		bool full = v->have + n == sizeof buf;
		if (!listen_to(v, v->have + n) || !speak(v)) return bury(c);
		if (!full && !(events & GONE)) return;
	}
}

static void origin_knock(struct conn *door, unsigned events) {
	(void)events;
	for (int fd; (fd = accept_on(door)) >= 0;) {
		struct visitor *v = alloc(sizeof *v);
		watch(&v->conn, fd, origin_ready);
	}
}

static void origin_release(struct conn *c) {
	free(((struct visitor *)c)->out);
	free(c);
}

// ----

int main(int argc, char **argv) {
	signal(SIGPIPE, SIG_IGN); // a write to who left returns EPIPE, and that connection ends
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (argc == 4 && !strcmp(argv[1], "relay")) {
		origin_port = atoi(argv[3]);
		listen_on(atoi(argv[2]), relay_knock);
		run(relay_release);
	}
	if (argc >= 3 && !strcmp(argv[1], "origin")) {
		for (int i = 2; i < argc; i++) listen_on(atoi(argv[i]), origin_knock);
		run(origin_release);
	}
	fprintf(stderr, "usage: floor relay LISTEN_PORT ORIGIN_PORT | floor origin PORT...\n");
	return 2;
}
