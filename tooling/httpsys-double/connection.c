/*
 * One client's connection: 1. read a head; 2. route it to a queue; 3. hand it to a receive; 4. give the body to those who ask
 * and write what is sent; 5. when the answer is whole, drop the rest of the body; 6. begin again, or close.
 */
#include "double.h"

Conn *conns;

static const size_t drainable = 1 << 20;

void wakeConn(Conn *conn) {
  uint64_t one = 1;
  if (conn->wake >= 0 && write(conn->wake, &one, sizeof one) < 0 && errno != EAGAIN) abort();
}

Conn *findRequest(Queue *queue, uint64_t id) {
  for (Conn *conn = conns; conn; conn = conn->next)
    if (conn->request == id && conn->state != REQUEST_NONE && conn->queue == queue && !conn->handed) return conn;
  return NULL;
}

void unlinkPending(Conn *conn) {
  Queue *queue = conn->queue;
  if (!queue) return;
  Conn *before = NULL;
  for (Conn *at = queue->pending; at; before = at, at = at->nextPending) {
    if (at != conn) continue;
    if (before) before->nextPending = at->nextPending; else queue->pending = at->nextPending;
    if (queue->pendingTail == at) queue->pendingTail = before;
    at->nextPending = NULL;
    return;
  }
}

/* Gives waiting requests to waiting receives. */
void offer(Queue *queue) {
  while (queue->pending && queue->receives.head) {
    Conn *conn = queue->pending;
    Op *op = popOp(&queue->receives);
    unlinkPending(conn);
    uint32_t written;
    uint32_t code = writeRequest(conn, op->buffer, op->length, op->flags, &written);
    conn->state = code ? REQUEST_OFFERED : REQUEST_OWNED;
    if (!code) tell(conn, 'r');
    complete(op, code, written);
  }
}

void answerPlainly(Conn *conn, int status, const char *phrase) {
  char text[256];
  int length = snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status, phrase);
  if (send(conn->fd, text, (size_t)length, MSG_NOSIGNAL) < 0) conn->gone = 1;
  conn->closing = 1;
  conn->state = REQUEST_NONE;
  conn->bodyDone = 1;
}

void enqueue(Conn *conn, Queue *queue) {
  conn->queue = queue;
  conn->state = REQUEST_QUEUED;
  conn->nextPending = NULL;
  if (queue->pendingTail) queue->pendingTail->nextPending = conn; else queue->pending = conn;
  queue->pendingTail = conn;
  offer(queue);
}

static void begin(Conn *conn) {
  char host[512] = "", path[66000];
  const Field *at = field(conn, "Host");
  if (at) snprintf(host, sizeof host, "%.*s", (int)at->valueLength, at->value);
  snprintf(path, sizeof path, "%.*s", (int)conn->targetLength, conn->target);
  char *query = strchr(path, '?');
  if (query) *query = 0;
  const char *bare = path;
  char *scheme = strstr(path, "://");
  if (path[0] != '/' && scheme) {
    char *slash = strchr(scheme + 3, '/');
    snprintf(host, sizeof host, "%.*s", slash ? (int)(slash - scheme - 3) : 500, scheme + 3);
    bare = slash ? slash : "/";
  }
  conn->chunks = conn->started = conn->answered = conn->bodyBroken = conn->bodyTouched = 0;
  conn->keep = conn->minor == 1 && !fieldHas(field(conn, "Connection"), "close");
  if (conn->minor == 0) conn->keep = fieldHas(field(conn, "Connection"), "keep-alive");
  conn->request = nextId();
  Queue *queue = conn->delegated ? conn->queue : NULL;
  if (!conn->delegated) {
    Group *group = NULL;
    Url *url = route(NULL, conn->listenPort, host, bare, &group);
    if (!url) { answerPlainly(conn, 404, "Not Found"); return; }
    queue = group->queue ? findQueue(group->queue) : NULL;
    conn->context = url->context;
  }
  uint32_t waiting = 0;
  for (Conn *other = queue ? queue->pending : NULL; other; other = other->nextPending) waiting++;
  /* Came from another process as the queue was shut: it goes back, and from there to whoever receives still. */
  if (conn->lease >= 0 && (!queue || queue->shut)) { conn->silent = 1; return; }
  if (!queue || queue->shut || waiting >= queue->limit) {
    if (queue && queue->verbosity == 0) { conn->kill = 1; conn->state = REQUEST_NONE; return; }
    answerPlainly(conn, 503, "Service Unavailable");
    return;
  }
  if (conn->lease < 0 && shareOut(conn, queue)) return;
  enqueue(conn, queue);
}

static void sendContinue(Conn *conn) {
  if (!conn->expects || conn->started) return;
  conn->expects = 0;
  tell(conn, 'c');
  if (send(conn->fd, continueText, strlen(continueText), MSG_NOSIGNAL) < 0) conn->gone = 1;
}

/* Step 4, the body. */
static void feed(Conn *conn) {
  while (conn->bodies.head) {
    Op *op = conn->bodies.head;
    long taken = takeBody(conn, AT(op->buffer), op->length);
    if (taken == 0 && conn->ended) taken = conn->body == BODY_OPAQUE ? -1 : -3;
    if (taken == 0) { sendContinue(conn); return; }
    popOp(&conn->bodies);
    if (taken > 0) complete(op, 0, (uint32_t)taken);
    else if (taken == -1) complete(op, ERROR_HANDLE_EOF, 0);
    else {
      if (taken == -3) conn->bodyBroken = 1;
      complete(op, taken == -2 ? ERROR_CONNECTION_ABORTED : ERROR_CONNECTION_INVALID, 0);
    }
  }
}

/* Step 4, the answer. */
static void flush(Conn *conn) {
  while (conn->sends.head) {
    Op *op = conn->sends.head;
    if (op->last && op->offset == 0) {
      int unread = !conn->bodyDone || conn->inLength > 0 || conn->bodyBroken || conn->expects || conn->body == BODY_OPAQUE;
      tellEnd(conn, op->size, op->close || conn->closing || !conn->keep || unread);
    }
    while (op->offset < op->size) {
      ssize_t count = send(conn->fd, op->data + op->offset, op->size - op->offset, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) conn->gone = 1;
        return;
      }
      op->offset += (size_t)count;
    }
    popOp(&conn->sends);
    if (op->close) conn->closing = 1;
    if (op->last) conn->answered = 1;
    complete(op, 0, (uint32_t)op->size);
  }
}

/* Steps 5 and 1. 0 when more input is needed first. */
static int turn(Conn *conn) {
  if (conn->state == REQUEST_NONE) {
    if (conn->closing) return 0;
    int parsed = parseHead(conn);
    if (parsed == 0) return 0;
    if (parsed != 1) { answerPlainly(conn, parsed, parsed == 431 ? "Request Header Fields Too Large" : "Bad Request"); return 0; }
    begin(conn);
    return 1;
  }
  if (!conn->answered) return 0;
  cancelOps(&conn->bodies, ERROR_CONNECTION_INVALID);
  if (!conn->keep || conn->body == BODY_OPAQUE || conn->expects || conn->bodyBroken) conn->closing = 1;
  if (!conn->closing) {
    size_t dropped = 0;
    char scratch[4096];
    while (!conn->bodyDone && dropped < drainable) {
      long taken = takeBody(conn, scratch, sizeof scratch);
      if (taken == 0) return conn->ended ? (conn->closing = 1) : 0;
      if (taken == -2) conn->closing = 1;
      if (taken < 0) break;
      dropped += (size_t)taken;
    }
    if (!conn->bodyDone) conn->closing = 1;
  }
  conn->state = REQUEST_NONE;
  conn->request = 0;
  if (conn->lease >= 0 && !conn->closing) giveBack(conn);
  return 1;
}

static int wantsInput(const Conn *conn) {
  if (conn->ended || conn->gone) return 0;
  if (conn->state == REQUEST_NONE) return !conn->closing;
  if (conn->answered) return 1;
  return conn->bodies.head != NULL || conn->certificates.head != NULL;
}

static void readSome(Conn *conn) {
  if (conn->inCapacity - conn->inLength < 65536) conn->in = realloc(conn->in, conn->inCapacity = conn->inLength + 65536);
  ssize_t count = recv(conn->fd, conn->in + conn->inLength, conn->inCapacity - conn->inLength, MSG_DONTWAIT);
  if (count > 0) conn->inLength += (size_t)count;
  else if (count == 0) conn->ended = 1;
  else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) conn->gone = 1;
}

/* Reads what is still coming for a moment, so that the close is no reset that takes the answer away. */
static void linger(int fd) {
  shutdown(fd, SHUT_WR);
  char scratch[65536];
  struct pollfd at = { fd, POLLIN, 0 };
  for (int i = 0; i < 1024 && poll(&at, 1, 2000) > 0; i++) if (recv(fd, scratch, sizeof scratch, 0) <= 0) return;
}

static void release(Conn *conn) {
  unlinkPending(conn);
  cancelOps(&conn->bodies, ERROR_CONNECTION_INVALID);
  cancelOps(&conn->sends, ERROR_CONNECTION_INVALID);
  cancelOps(&conn->certificates, ERROR_CONNECTION_INVALID);
  cancelOps(&conn->waits, ERROR_SUCCESS);
  Conn **at = &conns;
  while (*at != conn) at = &(*at)->next;
  *at = conn->next;
  close(conn->wake);
  if (conn->watch >= 0) close(conn->watch);
  if (conn->lease >= 0) {
    if (!conn->silent) tell(conn, 'd');
    close(conn->lease);
  }
  freeFacts(conn);
  free(conn->head);
  free(conn->in);
}

static void *connThread(void *of) {
  Conn *conn = of;
  int half = 0;
  pthread_mutex_lock(&lock);
  for (;;) {
    if (conn->silent || conn->kill || conn->gone) break;
    if (conn->handed) {
      half = 0;
      if (attend(conn)) continue;
      break;
    }
    flush(conn);
    giveCertificates(conn);
    feed(conn);
    while (!conn->handed && !conn->silent && turn(conn)) if (!conn->handed) feed(conn);
    if (conn->handed) continue;
    if (conn->silent || conn->kill || conn->gone) break;
    if (conn->state == REQUEST_NONE && (conn->closing || conn->ended)) break;
    struct pollfd fds[2] = { { conn->fd, 0, 0 }, { conn->wake, POLLIN, 0 } };
    if (wantsInput(conn)) fds[0].events |= POLLIN;
    if (conn->sends.head) fds[0].events |= POLLOUT;
    if (!half) fds[0].events |= POLLRDHUP;
    /* A socket whose both ends are shut reports POLLHUP without end. */
    if (half && conn->ended && fds[0].events == 0) fds[0].fd = -1;
    pthread_mutex_unlock(&lock);
    poll(fds, 2, half ? 50 : -1);
    pthread_mutex_lock(&lock);
    uint64_t count;
    if (fds[1].revents && read(conn->wake, &count, sizeof count) < 0) abort();
    if (conn->handed) continue;
    if (conn->silent || conn->kill) break;
    if (fds[0].revents & POLLRDHUP) half = 1;
    if (fds[0].revents & POLLERR) conn->gone = 1;
    if ((fds[0].revents & (POLLIN | POLLHUP)) && wantsInput(conn)) readSome(conn);
    if (half && !conn->gone) {
      int failed = 0;
      socklen_t size = sizeof failed;
      if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed) conn->gone = 1;
    }
  }
  int fd = conn->fd, kill = conn->kill || conn->gone, silent = conn->silent;
  if (!silent && !kill && conn->queue) cancelOps(&conn->waits, ERROR_SUCCESS);
  release(conn);
  pthread_mutex_unlock(&lock);
  if (!silent) {
    if (kill) {
      struct linger none = { 1, 0 };
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    } else linger(fd);
  }
  close(fd);
  free(conn);
  return NULL;
}

Conn *adopt(int fd, int lease, int listenPort, const char *early, size_t earlyLength, Queue *queue, const char *prefix) {
  Conn *conn = calloc(1, sizeof *conn);
  conn->id = nextId();
  conn->fd = fd;
  conn->lease = lease;
  conn->watch = -1;
  conn->listenPort = listenPort;
  conn->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  socklen_t size = sizeof conn->peer;
  getpeername(fd, (struct sockaddr *)&conn->peer, &size);
  size = sizeof conn->local;
  getsockname(fd, (struct sockaddr *)&conn->local, &size);
  if (earlyLength) {
    conn->in = malloc(conn->inCapacity = earlyLength + 65536);
    memcpy(conn->in, early, conn->inLength = earlyLength);
  }
  if (queue) {
    conn->delegated = 1;
    conn->queue = queue;
    for (Group *group = groups; group; group = group->next)
      for (Url *url = group->urls; url; url = url->next)
        if (group->queue == queue->handle && !strcasecmp(url->text, prefix)) conn->context = url->context;
  }
  conn->next = conns;
  conns = conn;
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  pthread_create(&thread, &attributes, connThread, conn);
  pthread_attr_destroy(&attributes);
  pthread_detach(thread);
  return conn;
}
