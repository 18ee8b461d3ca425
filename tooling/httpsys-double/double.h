/*
 * A test double of the HTTP Server API as a Linux shared object: same structures, same functions, same error codes.
 *
 * One lock guards everything. Each connection has one thread, which alone reads and writes its socket; each named queue has
 * one thread, which adopts what other processes delegate to it. Calls enqueue operations and wake those threads; what is
 * finished goes to a completion port, or to the caller that waits when it gave no OVERLAPPED.
 *
 * There is no kernel that outlives processes: the process whose URL a connection came by keeps the socket for as long as another
 * process has its request (a lease, delegation.c), and answers for that one when it dies. Its own death ends its connections.
 *
 * Every refusal states its reason, which HttpSim_Why returns.
 *
 *   structures.h constants.h header-names.h   the API as data
 *   sessions.c urls.c queues.c properties.c   what a server sets up
 *   listeners.c connection.c http1.c          ports, and one client's connection
 *   request.c exchange.c facts.c              a request in its buffer, the calls on it, and what it is told of TLS
 *   delegation.c names.c                      other processes
 *   port.c                                    operations and completion ports
 *   report.c                                  what tests ask
 */
#ifndef DOUBLE_H
#define DOUBLE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <time.h>
#include <unistd.h>
#include "structures.h"
#include "constants.h"
#include "header-names.h"

#define EXPORT __attribute__((visibility("default")))
#define AT(address) ((void *)(uintptr_t)(address))
#define API_VERSION_2 2u

typedef struct Port Port;
typedef struct Queue Queue;
typedef struct Conn Conn;

enum { OP_RECEIVE, OP_BODY, OP_SEND, OP_DISCONNECT, OP_CERTIFICATE };

typedef struct Op {
  struct Op *next;
  int kind;
  Queue *queue;
  uint64_t id;
  uint64_t buffer;
  uint32_t length, flags;
  uint64_t overlapped;
  /* Without OVERLAPPED the caller waits for these. */
  int done;
  uint32_t code, bytes;
  /* What a send still has to write. */
  char *data;
  size_t size, offset;
  int last, close;
} Op;

typedef struct { Op *head, *tail; } Ops;

typedef struct Session { struct Session *next; uint64_t id; } Session;

typedef struct Url {
  struct Url *next;
  int port, kind; /* 0 strong wildcard, 1 explicit, 2 address, 3 weak wildcard */
  char host[256], path[1024], text[1400];
  uint64_t context;
  int claim; /* keeps other processes from registering it */
} Url;

typedef struct Rule { struct Rule *next; uint64_t target; } Rule;

typedef struct Group {
  struct Group *next;
  uint64_t id, session, queue;
  Url *urls;
  Rule *rules;
  HTTP_TIMEOUT_LIMIT_INFO timeouts;
  uint32_t connections; /* 0: no limit */
} Group;

struct Queue {
  Queue *next;
  uint64_t handle;
  char name[256];
  uint32_t flags;
  int shut, closed;
  Port *port;
  uint64_t key;
  uint8_t modes;
  Ops receives;
  Conn *pending, *pendingTail;
  uint32_t limit, verbosity;
  /* Named queues; -1 otherwise. `member` keeps the name in use; requests of other processes come to `inbox`, in `slot`. */
  int member, inbox, slot, wake;
  int lastSlot; /* whose turn it was */
  pthread_t thread;
};

enum { BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_OPAQUE };
enum { REQUEST_NONE, REQUEST_QUEUED, REQUEST_OFFERED, REQUEST_OWNED };

typedef struct { const char *name, *value; uint32_t nameLength, valueLength; } Field;

typedef struct { unsigned char *data; size_t size; } Bytes;

/* What facts.c was told of a connection. */
typedef struct {
  int told, secure, version, slow, mapped;
  uint32_t protocol, cipher, strength;
  char sni[256];
  Bytes cert, later;
} Facts;

struct Conn {
  Conn *next, *nextPending;
  uint64_t id;
  int fd, wake, listenPort;
  struct sockaddr_in peer, local;
  char *in;
  size_t inLength, inCapacity;
  int ended;   /* the client's FIN was read */
  int gone;    /* reset, or written to in vain */
  int handed;  /* another process has its request */
  int silent;  /* leave the socket as it is */
  int lease;   /* to the process that this request came from, or -1 */
  int watch;   /* to the process that this request went to, or -1 */
  int taken;   /* ... which has received it */
  int returning; /* ... and gives it back */
  uint64_t sentBefore;
  int continued;   /* ... or less, when 100 (Continue) did not leave */
  uint64_t endsAt; /* what was sent when its answer is whole; 0 before that is known */
  int endCloses;   /* ... and with it the connection ends */
  uint64_t home; /* the queue that it waits in again when nobody else takes it */
  char toName[256], toPrefix[1400];
  int closing; /* no further request */
  int kill;    /* cut it */
  int delegated, upgraded;
  uint64_t peekAt;
  /* The request under way. */
  int state;
  uint64_t request;
  Queue *queue;
  uint64_t context;
  char *head;
  size_t headLength;
  const char *method, *target;
  uint32_t methodLength, targetLength;
  int major, minor;
  Field fields[256];
  uint32_t fieldCount;
  int body, bodyDone, bodyBroken, bodyTouched, expects;
  uint64_t rest;
  int chunkState;
  Facts facts;
  /* Its answer. */
  int chunks; /* it is written in chunks here */
  uint32_t buffered; /* BUFFER_DATA, where its head had it */
  int started, answered, keep;
  Ops bodies, sends, waits, certificates;
};

extern pthread_mutex_t lock;
extern Session *sessions;
extern Group *groups;
extern Queue *queues;
extern Conn *conns;

/* Unlocks on the way out of a call. */
static inline uint32_t out(uint32_t code) {
  pthread_mutex_unlock(&lock);
  return code;
}

/* report.c */
uint32_t refuseAt(const char *file, int line, uint32_t code, const char *why, ...) __attribute__((format(printf, 4, 5)));
#define refuse(code, ...) refuseAt(__FILE__, __LINE__, code, __VA_ARGS__)

/* port.c */
void pushOp(Ops *ops, Op *op);
Op *popOp(Ops *ops);
void complete(Op *op, uint32_t code, uint32_t bytes);
Op *newOp(int kind, Queue *queue, uint64_t id, uint64_t overlapped);
/* Ends a call that started `op`: 997, or waits for it. Releases the lock. */
uint32_t endCall(Op *op, uint64_t overlapped, uint64_t bytesReturned);
void cancelOps(Ops *ops, uint32_t code);
uint32_t countPorts(void);
uint32_t countOps(void);

/* sessions.c */
extern int initialized; /* how often */
uint32_t checkVersion(uint32_t version);
uint64_t nextId(void);
Session *findSession(uint64_t id);
Group *findGroup(uint64_t id);

/* queues.c */
Queue *findQueue(uint64_t handle);

/* urls.c */
int narrow(uint64_t wide, char *to, size_t size); /* UTF-16 to bytes; 0 when it does not fit or is not ASCII */
void freeUrls(Group *group);
Url *route(Queue *only, int port, const char *host, const char *path, Group **group);

/* listeners.c */
int openListener(int port);
void closeListenersWithoutUrl(void);

/* connection.c */
Conn *adopt(int fd, int lease, int listenPort, const char *early, size_t earlyLength, Queue *queue, const char *prefix);
void wakeConn(Conn *conn);
Conn *findRequest(Queue *queue, uint64_t id);
void offer(Queue *queue);
void unlinkPending(Conn *conn);

/* request.c */
uint32_t writeRequest(Conn *conn, uint64_t buffer, uint32_t length, uint32_t flags, uint32_t *written);

/* exchange.c */
uint32_t checkCall(Queue *queue, uint64_t overlapped, uint64_t returned);
uint32_t inlineEnd(Queue *queue, uint64_t overlapped, uint64_t returned, uint32_t code, uint32_t bytes);

/* facts.c */
int takeFacts(Conn *conn);
void freeFacts(Conn *conn);
void giveCertificates(Conn *conn);
/* A HANDLE of the account that the connection's certificate is mapped to, or 0. */
uint64_t tokenOf(const Facts *facts);
int closeToken(uint64_t handle);

/* http1.c */
int parseHead(Conn *conn); /* 1 parsed, 0 incomplete, else the status that refuses it */
long takeBody(Conn *conn, char *to, size_t most); /* bytes, 0 more input needed, -1 end, -2 broken */
const Field *field(Conn *conn, const char *name);
int fieldHas(const Field *of, const char *token);

/* names.c */
enum { MOST_MEMBERS = 16 };
int joinQueue(Queue *queue, int create);
int claimUrl(const char *text);
int bindInbox(Queue *queue);
int postTo(const char *name, int slot, const struct msghdr *parcel);

/* delegation.c */
void openInbox(Queue *queue);
void closeInbox(Queue *queue);
int shareOut(Conn *conn, Queue *queue);
extern const char continueText[];
void tell(Conn *conn, char what);
void tellEnd(Conn *conn, uint64_t size, int closes);
void giveBack(Conn *conn);
int attend(Conn *conn);
void answerPlainly(Conn *conn, int status, const char *phrase);
void enqueue(Conn *conn, Queue *queue);
#endif
