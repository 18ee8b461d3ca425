/*
 * Requests in the hands of other processes: those that HttpDelegateRequestEx gives away, and those of a queue that several
 * processes receive from.
 *
 * A request goes as a parcel: its bytes, its socket, and one end of a lease. Its new process tells over the lease
 *   r  it was received          c  100 (Continue) was sent        d  it is over, and so is the connection
 *   k  it is over, and the connection comes back with the bytes that follow
 *   e  the rest of its answer leaves now: 8 bytes with what was sent then, and one that tells whether the connection ends with it
 * A lease that ends without d or k is a process that died, or closed its queue: a request that it had not received goes to another
 * process of the queue; otherwise, or when there is none, it is answered with 503 unless some of its response has left already. One whose
 * whole answer has left is over, as if k had come: in Windows it is the system that sends, and nobody dies between the two.
 * HTTPSIM_ABANDONED=reset cuts those that had been received instead: which of the two HTTP.sys does, only Windows can tell.
 */
#include "double.h"

typedef struct { uint32_t magic, early; int32_t port; char prefix[1400]; } Parcel;
static const uint32_t magic = 0x48545360;
enum { MOST_EARLY = 200000 };
const char continueText[] = "HTTP/1.1 100 Continue\r\n\r\n";
static uint32_t totals[6];

/* So far: requests given to other processes, connections that came back, requests given on, answered with 503, cut; now: calls that wait to give. */
EXPORT void HttpSim_Totals(uint32_t *to) {
  pthread_mutex_lock(&lock);
  memcpy(to, totals, sizeof totals);
  pthread_mutex_unlock(&lock);
}

/* What the client was sent so far. */
static uint64_t sentTo(int fd) {
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
}

/* 1 given away, 0 nobody receives there, -1 those who do cannot take more now. Tries `count` slots from `first` on; tells which. */
static int handOver(Conn *conn, const char *name, const char *prefix, int first, int count, int *slot) {
  Parcel parcel = { .magic = magic, .early = (uint32_t)(conn->headLength + conn->inLength), .port = conn->listenPort };
  int ends[2], found = 0;
  if (count == 0) return 0;
  if (parcel.early > MOST_EARLY || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) abort();
  snprintf(parcel.prefix, sizeof parcel.prefix, "%s", prefix);
  struct iovec parts[3] = { { &parcel, sizeof parcel }, { conn->head, conn->headLength }, { conn->in, conn->inLength } };
  char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3, .msg_control = control, .msg_controllen = sizeof control };
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(2 * sizeof(int));
  int fds[2] = { conn->fd, ends[1] };
  memcpy(CMSG_DATA(head), fds, sizeof fds);
  uint64_t sent = sentTo(conn->fd);
  for (int i = 0; i < count && found != 1; i++) {
    int at = (first + i) % MOST_MEMBERS, posted = postTo(name, at, &message);
    if (posted) found = posted;
    if (posted == 1 && slot) *slot = at;
  }
  close(ends[1]);
  if (found != 1) { close(ends[0]); return found; }
  totals[0]++;
  /* Whoever gave it to this process need not answer for the next one. */
  if (conn->lease >= 0) { tell(conn, 'd'); close(conn->lease); conn->lease = -1; }
  conn->watch = ends[0];
  conn->handed = 1;
  conn->taken = conn->continued = 0;
  conn->sentBefore = sent;
  conn->endsAt = 0;
  if (name != conn->toName) snprintf(conn->toName, sizeof conn->toName, "%s", name);
  if (prefix != conn->toPrefix) snprintf(conn->toPrefix, sizeof conn->toPrefix, "%s", prefix);
  cancelOps(&conn->waits, ERROR_SUCCESS);
  conn->queue = NULL;
  return 1;
}

/* A request for a queue that several processes receive from: each in its turn. 1 when another one has it. */
int shareOut(Conn *conn, Queue *queue) {
  if (!queue->name[0]) return 0;
  int isOwn = queue->slot >= 0, first = isOwn ? (queue->lastSlot + 1) % MOST_MEMBERS : 0;
  int others = isOwn ? (queue->slot - first + MOST_MEMBERS) % MOST_MEMBERS : MOST_MEMBERS;
  uint64_t home = queue->handle;
  if (handOver(conn, queue->name, "", first, others, &queue->lastSlot) == 1) {
    conn->home = home;
    return 1;
  }
  queue->lastSlot = queue->slot;
  return 0;
}

void tell(Conn *conn, char what) {
  if (conn->lease >= 0) send(conn->lease, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void tellEnd(Conn *conn, uint64_t size, int closes) {
  char text[10] = { 'e' };
  if (conn->lease < 0) return;
  uint64_t at = sentTo(conn->fd) + size;
  memcpy(text + 1, &at, 8);
  text[9] = closes != 0;
  send(conn->lease, text, sizeof text, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The connection, after an answer, to the process that keeps it. */
void giveBack(Conn *conn) {
  char what = 'k';
  struct iovec parts[2] = { { &what, 1 }, { conn->in, conn->inLength } };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
  if (conn->inLength > 100000) { conn->closing = 1; return; }
  if (sendmsg(conn->lease, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) conn->closing = 1;
  else conn->silent = 1;
}

/* The other process died, or closed its queue. 0 when the connection is over. */
static int abandoned(Conn *conn) {
  const char *how = getenv("HTTPSIM_ABANDONED");
  uint64_t sent = sentTo(conn->fd);
  if (conn->endsAt && conn->endCloses && sent == conn->endsAt) return 0;
  if (sent != conn->sentBefore && !(conn->continued && sent == conn->sentBefore - strlen(continueText))) { totals[4]++; return 0; }
  if (conn->taken && how && !strcmp(how, "reset")) { totals[4]++; conn->kill = 1; return 0; }
  if (!conn->taken) {
    Queue *home = findQueue(conn->home);
    if (handOver(conn, conn->toName, conn->toPrefix, 0, MOST_MEMBERS, NULL) == 1) { totals[2]++; return 1; }
    if (home && !home->shut) { totals[2]++; conn->handed = 0; enqueue(conn, home); return 1; }
  }
  totals[3]++;
  answerPlainly(conn, 503, "Service Unavailable");
  return 0;
}

/* Waits for news of a request in the hands of another process. 0 when the connection is over. */
int attend(Conn *conn) {
  struct pollfd fds[2] = { { conn->watch, POLLIN, 0 }, { conn->wake, POLLIN, 0 } };
  char text[65536];
  pthread_mutex_unlock(&lock);
  poll(fds, 2, -1);
  pthread_mutex_lock(&lock);
  uint64_t count;
  if (fds[1].revents && read(conn->wake, &count, sizeof count) < 0 && errno != EAGAIN) abort();
  if (!fds[0].revents) return 1;
  ssize_t length = recv(conn->watch, text, sizeof text, MSG_DONTWAIT), at = 0;
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return 1;
  for (; at < length && !conn->returning; at++) {
    if (text[at] == 'r') conn->taken = 1;
    else if (text[at] == 'c') { conn->continued = 1; conn->sentBefore += strlen(continueText); }
    else if (text[at] == 'e' && length - at >= 10) {
      memcpy(&conn->endsAt, text + at + 1, 8);
      conn->endCloses = text[at + 9];
      at += 9;
    }
    else if (text[at] == 'd') { conn->silent = 1; return 0; }
    else if (text[at] == 'k') { conn->returning = 1; conn->inLength = 0; }
  }
  if (length > 0) {
    if (at == length) return 1;
    conn->in = realloc(conn->in, conn->inCapacity = conn->inLength + (size_t)(length - at) + 65536);
    memcpy(conn->in + conn->inLength, text + at, (size_t)(length - at));
    conn->inLength += (size_t)(length - at);
    return 1;
  }
  close(conn->watch);
  conn->watch = -1;
  if (!conn->returning && conn->endsAt && !conn->endCloses && sentTo(conn->fd) == conn->endsAt) {
    conn->returning = 1;
    conn->inLength = 0;
  }
  if (!conn->returning) return abandoned(conn);
  totals[1]++;
  conn->returning = conn->handed = 0;
  /* It came to this process for one request. */
  if (conn->delegated) conn->closing = 1;
  conn->state = REQUEST_NONE;
  conn->request = 0;
  return 1;
}

static void receiveParcel(Queue *queue) {
  Parcel parcel;
  char *early = malloc(MOST_EARLY);
  char control[CMSG_SPACE(2 * sizeof(int))];
  struct iovec parts[2] = { { &parcel, sizeof parcel }, { early, MOST_EARLY } };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control };
  ssize_t length = recvmsg(queue->inbox, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  struct cmsghdr *head = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int fds[2] = { -1, -1 };
  if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof fds)) memcpy(fds, CMSG_DATA(head), sizeof fds);
  int whole = fds[0] >= 0 && (size_t)length >= sizeof parcel && parcel.magic == magic && parcel.early == (size_t)length - sizeof parcel;
  pthread_mutex_lock(&lock);
  if (whole && !queue->closed && !queue->shut) {
    parcel.prefix[sizeof parcel.prefix - 1] = 0;
    adopt(fds[0], fds[1], parcel.port, early, parcel.early, queue, parcel.prefix);
  } else {
    if (fds[0] >= 0) close(fds[0]);
    if (fds[1] >= 0) close(fds[1]);
  }
  pthread_mutex_unlock(&lock);
  free(early);
}

static void *inboxThread(void *of) {
  Queue *queue = of;
  for (;;) {
    struct pollfd fds[2] = { { queue->inbox, POLLIN, 0 }, { queue->wake, POLLIN, 0 } };
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return NULL;
    if (fds[1].revents) return NULL;
    if (fds[0].revents) receiveParcel(queue);
  }
}

/* Requests of other processes may come from here on. */
void openInbox(Queue *queue) {
  if (!queue->name[0] || queue->inbox >= 0 || !bindInbox(queue)) return;
  queue->wake = eventfd(0, EFD_CLOEXEC);
  pthread_create(&queue->thread, NULL, inboxThread, queue);
}

/* What lies in it goes back where it came from. Releases the lock for a while. */
void closeInbox(Queue *queue) {
  if (queue->inbox < 0) return;
  int inbox = queue->inbox, wake = queue->wake;
  pthread_t thread = queue->thread;
  uint64_t one = 1;
  if (write(wake, &one, sizeof one) < 0) abort();
  pthread_mutex_unlock(&lock);
  pthread_join(thread, NULL);
  pthread_mutex_lock(&lock);
  close(wake);
  close(inbox);
  queue->inbox = queue->slot = queue->wake = -1;
}

static uint32_t checkProperty(const HTTP_DELEGATE_REQUEST_PROPERTY_INFO *property, uint32_t count, char *prefix, size_t size) {
  if (count != 1 || !property) return refuse(ERROR_INVALID_PARAMETER, "PropertyInfoSetSize is %u, not 1", count);
  if (property->PropertyId != 1) return refuse(ERROR_INVALID_PARAMETER, "PropertyId is %d, not DelegateUrl", property->PropertyId);
  const uint16_t *text = AT(property->PropertyInfo);
  uint32_t length = property->PropertyInfoLength;
  if (!text || length == 0 || length % 2 || length / 2 >= size) return refuse(ERROR_INVALID_PARAMETER, "PropertyInfoLength %u is no length of UTF-16 text in bytes", length);
  for (uint32_t i = 0; i < length / 2; i++) {
    if (text[i] == 0) return refuse(ERROR_INVALID_PARAMETER, "PropertyInfoLength counts the NUL");
    prefix[i] = (char)text[i];
  }
  prefix[length / 2] = 0;
  if (text[length / 2] != 0) return refuse(ERROR_INVALID_PARAMETER, "the text goes on after PropertyInfoLength bytes: characters were counted");
  if (strncasecmp(prefix, "http://", 7) && strncasecmp(prefix, "https://", 8)) return refuse(ERROR_INVALID_PARAMETER, "the prefix has no scheme");
  if (prefix[length / 2 - 1] != '/') return refuse(ERROR_INVALID_PARAMETER, "the prefix has no trailing slash");
  return 0;
}

static int hasRule(Queue *source, uint64_t target) {
  for (Group *group = groups; group; group = group->next)
    for (Rule *rule = group->rules; rule; rule = rule->next)
      if (rule->target == target && group->queue == source->handle) return 1;
  return 0;
}

EXPORT uint32_t HttpDelegateRequestEx(uint64_t sourceHandle, uint64_t targetHandle, uint64_t id, uint64_t urlGroup, uint32_t count, uint64_t properties) {
  pthread_mutex_lock(&lock);
  Queue *source = findQueue(sourceHandle), *target = findQueue(targetHandle);
  char prefix[1400];
  if (!source || !target) return out(refuse(ERROR_INVALID_HANDLE, source ? "no queue has the target's handle" : "no queue has the source's handle"));
  if (!(target->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION)) return out(refuse(ERROR_INVALID_PARAMETER, "the target was opened without DELEGATION"));
  if (urlGroup) return out(refuse(ERROR_INVALID_PARAMETER, "DelegateUrlGroupId is not 0"));
  uint32_t code = checkProperty(AT(properties), count, prefix, sizeof prefix);
  if (code) return out(code);
  if (!hasRule(source, targetHandle)) return out(refuse(ERROR_ACCESS_DENIED, "the URL group of the source has no delegation property for the target"));
  Conn *conn = findRequest(source, id);
  if (!conn || conn->state != REQUEST_OWNED || conn->gone || conn->kill) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  if (conn->bodyTouched || conn->started) return out(refuse(ERROR_INVALID_PARAMETER, conn->started ? "the response was started" : "the body was read"));
  /* Owned: its thread reads nothing before somebody asks, and only this process's calls ask. */
  const char *patience = getenv("HTTPSIM_PATIENCE");
  int given = -1, milliseconds = patience ? atoi(patience) : 200;
  for (int i = 0; i < milliseconds && (given = handOver(conn, target->name, prefix, 0, MOST_MEMBERS, NULL)) < 0; i++) {
    totals[5]++;
    pthread_mutex_unlock(&lock);
    usleep(1000);
    pthread_mutex_lock(&lock);
    totals[5]--;
    if (findQueue(targetHandle) != target || findRequest(source, id) != conn) return out(refuse(ERROR_CONNECTION_INVALID, "the request left"));
  }
  if (given == 0) return out(refuse(ERROR_OBJECT_NO_LONGER_EXISTS, "the target's queue is gone"));
  if (given < 0) return out(refuse(ERROR_NO_SYSTEM_RESOURCES, "the target's queue is full"));
  conn->home = 0;
  wakeConn(conn);
  return out(0);
}
