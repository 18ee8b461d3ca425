/* Named queues across processes: abstract datagram sockets; a delegated request is its bytes and its socket. */
#include "double.h"

typedef struct { uint32_t magic, early; int32_t port; char prefix[1400]; } Parcel;
static const uint32_t magic = 0x48545359;
enum { MOST_EARLY = 160000 };

static socklen_t addressOf(const char *name, struct sockaddr_un *to) {
  memset(to, 0, sizeof *to);
  to->sun_family = AF_UNIX;
  char lower[256] = { 0 };
  size_t length = 0;
  for (; name[length]; length++) lower[length] = (char)(name[length] >= 'A' && name[length] <= 'Z' ? name[length] + 32 : name[length]);
  /* Long names are told apart by a digest, as the address has 107 bytes. */
  uint64_t digest = 1469598103934665603ull;
  for (size_t i = 0; i < length; i++) digest = (digest ^ (unsigned char)lower[i]) * 1099511628211ull;
  int written = snprintf(to->sun_path + 1, sizeof to->sun_path - 1, "httpsys-double.%u.%016llx.%.60s", getuid(), (unsigned long long)digest, lower);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)written);
}

int bindQueue(const char *name) {
  struct sockaddr_un address;
  socklen_t length = addressOf(name, &address);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&address, length) == 0) return fd;
  int failed = errno;
  close(fd);
  errno = failed;
  return -1;
}

int reachQueue(const char *name) {
  struct sockaddr_un address;
  socklen_t length = addressOf(name, &address);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1 << 20;
  struct timeval patience = { 2, 0 };
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, length) == 0) return fd;
  int failed = errno;
  close(fd);
  errno = failed;
  return -1;
}

static void receiveParcel(Queue *queue) {
  Parcel parcel;
  char *early = malloc(MOST_EARLY);
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec parts[2] = { { &parcel, sizeof parcel }, { early, MOST_EARLY } };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control };
  ssize_t length = recvmsg(queue->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  struct cmsghdr *head = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int fd = -1;
  if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(head), sizeof fd);
  int whole = fd >= 0 && (size_t)length >= sizeof parcel && parcel.magic == magic && parcel.early == (size_t)length - sizeof parcel;
  pthread_mutex_lock(&lock);
  if (whole && !queue->closed) {
    parcel.prefix[sizeof parcel.prefix - 1] = 0;
    adopt(fd, parcel.port, early, parcel.early, queue, parcel.prefix);
  } else if (fd >= 0) close(fd);
  pthread_mutex_unlock(&lock);
  free(early);
}

void *queueThread(void *of) {
  Queue *queue = of;
  for (;;) {
    struct pollfd fds[2] = { { queue->socket, POLLIN, 0 }, { queue->wake, POLLIN, 0 } };
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return NULL;
    if (fds[1].revents) return NULL;
    if (fds[0].revents) receiveParcel(queue);
  }
}

static uint32_t out(uint32_t code) {
  pthread_mutex_unlock(&lock);
  return code;
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
  Parcel parcel = { .magic = magic };
  if (!source || !target) return out(refuse(ERROR_INVALID_HANDLE, source ? "no queue has the target's handle" : "no queue has the source's handle"));
  if (!(target->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION)) return out(refuse(ERROR_INVALID_PARAMETER, "the target was opened without DELEGATION"));
  if (urlGroup) return out(refuse(ERROR_INVALID_PARAMETER, "DelegateUrlGroupId is not 0"));
  uint32_t code = checkProperty(AT(properties), count, parcel.prefix, sizeof parcel.prefix);
  if (code) return out(code);
  if (!hasRule(source, targetHandle)) return out(refuse(ERROR_ACCESS_DENIED, "the URL group of the source has no delegation property for the target"));
  Conn *conn = findRequest(source, id);
  if (!conn || conn->state != REQUEST_OWNED || conn->gone || conn->kill) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  if (conn->bodyTouched || conn->started) return out(refuse(ERROR_INVALID_PARAMETER, conn->started ? "the response was started" : "the body was read"));
  size_t early = conn->headLength + conn->inLength;
  if (early > MOST_EARLY) return out(refuse(ERROR_NO_SYSTEM_RESOURCES, "more was read ahead than fits"));
  parcel.early = (uint32_t)early;
  parcel.port = conn->listenPort;
  struct iovec parts[3] = { { &parcel, sizeof parcel }, { conn->head, conn->headLength }, { conn->in, conn->inLength } };
  char control[CMSG_SPACE(sizeof(int))] = { 0 };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3, .msg_control = control, .msg_controllen = sizeof control };
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(head), &conn->fd, sizeof conn->fd);
  /* Owned: its thread reads nothing before somebody asks, and only this process's calls ask. */
  ssize_t written = -1;
  for (int i = 0; i < 200 && (written = sendmsg(target->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 && (errno == EAGAIN || errno == ENOBUFS); i++) {
    pthread_mutex_unlock(&lock);
    usleep(1000);
    pthread_mutex_lock(&lock);
    if (findQueue(targetHandle) != target || findRequest(source, id) != conn) return out(refuse(ERROR_CONNECTION_INVALID, "the request left"));
  }
  if (written < 0) {
    int gone = errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET;
    return out(gone ? refuse(ERROR_OBJECT_NO_LONGER_EXISTS, "the target's queue is gone") : refuse(ERROR_NO_SYSTEM_RESOURCES, "the hand-over failed: %s", strerror(errno)));
  }
  conn->handed = 1;
  wakeConn(conn);
  return out(0);
}
