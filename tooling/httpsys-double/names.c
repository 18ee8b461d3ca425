/* What processes share: names of queues, and URLs. Each is an abstract socket, which goes with the process that bound it. */
#include "double.h"
#include <sys/file.h>

static socklen_t addressOf(const char *name, const char *suffix, struct sockaddr_un *to) {
  memset(to, 0, sizeof *to);
  to->sun_family = AF_UNIX;
  /* Long names are told apart by a digest, as the address has 107 bytes. */
  char lower[56] = { 0 };
  uint64_t digest = 1469598103934665603ull;
  for (size_t i = 0; name[i]; i++) {
    unsigned char c = (unsigned char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    if (i + 1 < sizeof lower) lower[i] = (char)c;
    digest = (digest ^ c) * 1099511628211ull;
  }
  int written = snprintf(to->sun_path + 1, sizeof to->sun_path - 1, "httpsys-double.%u.%s.%016llx.%s", getuid(), suffix, (unsigned long long)digest, lower);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)written);
}

static int claim(const char *name, const char *suffix) {
  struct sockaddr_un address;
  socklen_t length = addressOf(name, suffix, &address);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&address, length) == 0) return fd;
  close(fd);
  return -1;
}

static int isClaimed(const char *name, const char *suffix) {
  struct sockaddr_un address;
  socklen_t length = addressOf(name, suffix, &address);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int found = connect(fd, (struct sockaddr *)&address, length) == 0;
  close(fd);
  return found;
}

int claimUrl(const char *text) { return claim(text, "url"); }

/* The first free slot of `kind` ("m" member, "r" receiver). */
static int claimSlot(const char *name, const char *kind, int *slot) {
  for (int i = 0; i < MOST_MEMBERS; i++) {
    char suffix[8];
    snprintf(suffix, sizeof suffix, "%s%d", kind, i);
    int fd = claim(name, suffix);
    if (fd < 0) continue;
    *slot = i;
    return fd;
  }
  return -1;
}

static int hasMember(const char *name) {
  for (int i = 0; i < MOST_MEMBERS; i++) {
    char suffix[8];
    snprintf(suffix, sizeof suffix, "m%d", i);
    if (isClaimed(name, suffix)) return 1;
  }
  return 0;
}

/* Processes look and claim one after the other. */
static int takeTurn(void) {
  char path[64];
  snprintf(path, sizeof path, "/tmp/httpsys-double-%u.lock", getuid());
  int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 || flock(fd, LOCK_EX) < 0) abort();
  return fd;
}

static int isForeign(const char *name) {
  const char *foreign = getenv("HTTPSIM_FOREIGN_QUEUE");
  return foreign && !strcasecmp(foreign, name);
}

/* Makes the queue's process a member of those that have the name open. 0, or why not. */
int joinQueue(Queue *queue, int create) {
  int delegation = (queue->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION) != 0, slot;
  if (isForeign(queue->name)) return (int)refuse(ERROR_ACCESS_DENIED, "the queue belongs to another account");
  int turn = takeTurn();
  int exists = hasMember(queue->name);
  /* Whether a delegator alone keeps a queue in being differs between versions of Windows. */
  int keeps = !delegation || getenv("HTTPSIM_DELEGATORS_KEEP_QUEUES");
  if (exists != create && keeps) queue->member = claimSlot(queue->name, "m", &slot);
  close(turn);
  if (create && exists) return (int)refuse(ERROR_ALREADY_EXISTS, "a queue has this name already");
  if (!create && !exists) return (int)refuse(ERROR_FILE_NOT_FOUND, "no queue has this name");
  if (keeps && queue->member < 0) return (int)refuse(ERROR_NO_SYSTEM_RESOURCES, "%d processes have this queue open already", MOST_MEMBERS);
  return 0;
}

int bindInbox(Queue *queue) {
  queue->inbox = claimSlot(queue->name, "r", &queue->slot);
  queue->lastSlot = queue->slot;
  return queue->inbox >= 0;
}

/* 1; 0 when nobody receives there; -1 when it is full. */
int postTo(const char *name, int slot, const struct msghdr *parcel) {
  static int post = -1;
  struct sockaddr_un address;
  char suffix[8];
  snprintf(suffix, sizeof suffix, "r%d", slot);
  struct msghdr message = *parcel;
  message.msg_name = &address;
  message.msg_namelen = addressOf(name, suffix, &address);
  if (post < 0) {
    int size = 1 << 20;
    post = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(post, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  if (sendmsg(post, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return 1;
  return errno == ECONNREFUSED ? 0 : -1;
}
