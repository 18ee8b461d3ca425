/* Operations and completion ports: the part of kernel32 that overlapped calls need. */
#include "double.h"

typedef struct Packet { struct Packet *next; uint64_t key, overlapped, internal; uint32_t bytes; } Packet;
typedef struct { uint64_t key, overlapped, internal; uint32_t bytes, pad; } Entry;

struct Port { Port *next; uint64_t handle; Packet *head, *tail; };

static Port *ports;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static uint32_t pendingOps;

static const struct { uint32_t code, status; } statuses[] = {
  { ERROR_SUCCESS, 0 }, { ERROR_MORE_DATA, 0x80000005u }, { ERROR_OPERATION_ABORTED, 0xC0000120u },
  { ERROR_HANDLE_EOF, 0xC0000011u }, { ERROR_CONNECTION_INVALID, 0xC000023Au }, { ERROR_NETNAME_DELETED, 0xC000013Bu },
  { ERROR_CONNECTION_ABORTED, 0xC0000241u }, { ERROR_INVALID_PARAMETER, 0xC000000Du },
  { ERROR_NOT_FOUND, 0xC0000225u },
};

EXPORT uint32_t RtlNtStatusToDosError(uint32_t status) {
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) if (statuses[i].status == status) return statuses[i].code;
  return 317; /* ERROR_MR_MID_NOT_FOUND, as Windows says of a status that it does not know */
}

static uint32_t statusOf(uint32_t code) {
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) if (statuses[i].code == code) return statuses[i].status;
  return 0xC0000001u;
}

void pushOp(Ops *ops, Op *op) {
  op->next = NULL;
  if (ops->tail) ops->tail->next = op; else ops->head = op;
  ops->tail = op;
}

Op *popOp(Ops *ops) {
  Op *op = ops->head;
  if (op && !(ops->head = op->next)) ops->tail = NULL;
  return op;
}

Op *newOp(int kind, Queue *queue, uint64_t id, uint64_t overlapped) {
  Op *op = calloc(1, sizeof *op);
  op->kind = kind; op->queue = queue; op->id = id; op->overlapped = overlapped;
  pendingOps++;
  return op;
}

static void push(Port *port, uint64_t key, uint64_t overlapped, uint64_t internal, uint32_t bytes) {
  Packet *packet = calloc(1, sizeof *packet);
  packet->key = key; packet->overlapped = overlapped; packet->internal = internal; packet->bytes = bytes;
  if (port->tail) port->tail->next = packet; else port->head = packet;
  port->tail = packet;
  pthread_cond_broadcast(&arrived);
}

void complete(Op *op, uint32_t code, uint32_t bytes) {
  pendingOps--;
  free(op->data);
  op->data = NULL;
  if (op->overlapped == 0) {
    op->done = 1; op->code = code; op->bytes = bytes;
    pthread_cond_broadcast(&arrived);
    return;
  }
  OVERLAPPED *overlapped = AT(op->overlapped);
  overlapped->Internal = statusOf(code);
  overlapped->InternalHigh = bytes;
  if (op->queue->port) push(op->queue->port, op->queue->key, op->overlapped, statusOf(code), bytes);
  free(op);
}

uint32_t endCall(Op *op, uint64_t overlapped, uint64_t bytesReturned) {
  if (overlapped) {
    pthread_mutex_unlock(&lock);
    return ERROR_IO_PENDING;
  }
  while (!op->done) pthread_cond_wait(&arrived, &lock);
  uint32_t code = op->code;
  if (bytesReturned) *(uint32_t *)AT(bytesReturned) = op->bytes;
  free(op);
  pthread_mutex_unlock(&lock);
  return code;
}

void cancelOps(Ops *ops, uint32_t code) {
  Op *op;
  while ((op = popOp(ops))) complete(op, code, 0);
}

static Port *findPort(uint64_t handle) {
  Port *port = ports;
  while (port && port->handle != handle) port = port->next;
  return port;
}

EXPORT uint64_t CreateIoCompletionPort(uint64_t file, uint64_t existing, uint64_t key, uint32_t threads) {
  (void)threads;
  pthread_mutex_lock(&lock);
  Port *port = existing ? findPort(existing) : calloc(1, sizeof *port);
  if (!port) { refuse(ERROR_INVALID_HANDLE, "no completion port has this handle"); pthread_mutex_unlock(&lock); return 0; }
  if (!existing) { port->handle = nextId(); port->next = ports; ports = port; }
  uint64_t result = port->handle;
  if (file != UINT64_MAX) {
    Queue *queue = findQueue(file);
    if (!queue || queue->port) { refuse(ERROR_INVALID_PARAMETER, "the file is no request queue, or has a port already"); result = 0; }
    else { queue->port = port; queue->key = key; }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

EXPORT int32_t SetFileCompletionNotificationModes(uint64_t file, uint8_t modes) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(file);
  if (queue) queue->modes = modes;
  pthread_mutex_unlock(&lock);
  return queue != NULL;
}

EXPORT int32_t PostQueuedCompletionStatus(uint64_t handle, uint32_t bytes, uint64_t key, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Port *port = findPort(handle);
  if (port) push(port, key, overlapped, 0, bytes);
  pthread_mutex_unlock(&lock);
  return port != NULL;
}

EXPORT int32_t GetQueuedCompletionStatusEx(uint64_t handle, uint64_t entries, uint32_t most, uint64_t removed, uint32_t timeout, int32_t alertable) {
  (void)alertable;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  if (timeout != UINT32_MAX) {
    until.tv_sec += timeout / 1000; until.tv_nsec += (long)(timeout % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) { until.tv_sec++; until.tv_nsec -= 1000000000; }
  }
  pthread_mutex_lock(&lock);
  Port *port;
  int expired = 0;
  while ((port = findPort(handle)) && !port->head && !expired) {
    if (timeout == UINT32_MAX) pthread_cond_wait(&arrived, &lock);
    else expired = pthread_cond_timedwait(&arrived, &lock, &until) == ETIMEDOUT;
  }
  uint32_t count = 0;
  Entry *to = AT(entries);
  while (port && port->head && count < most) {
    Packet *packet = port->head;
    if (!(port->head = packet->next)) port->tail = NULL;
    to[count++] = (Entry){ packet->key, packet->overlapped, packet->internal, packet->bytes, 0 };
    free(packet);
  }
  *(uint32_t *)AT(removed) = count;
  pthread_mutex_unlock(&lock);
  return count > 0;
}

EXPORT int32_t CloseHandle(uint64_t handle) {
  pthread_mutex_lock(&lock);
  if (closeToken(handle)) {
    pthread_mutex_unlock(&lock);
    return 1;
  }
  Port **at = &ports;
  while (*at && (*at)->handle != handle) at = &(*at)->next;
  Port *port = *at;
  if (port) {
    *at = port->next;
    for (Queue *queue = queues; queue; queue = queue->next) if (queue->port == port) queue->port = NULL;
    while (port->head) { Packet *packet = port->head; port->head = packet->next; free(packet); }
    free(port);
    pthread_cond_broadcast(&arrived);
  }
  pthread_mutex_unlock(&lock);
  return port != NULL;
}

EXPORT int32_t CancelIoEx(uint64_t handle, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  int found = 0;
  if (queue) {
    Ops keep = { 0 };
    Op *op;
    while ((op = popOp(&queue->receives))) {
      if (overlapped && op->overlapped != overlapped) pushOp(&keep, op);
      else { complete(op, ERROR_OPERATION_ABORTED, 0); found = 1; }
    }
    queue->receives = keep;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* Live objects, for tests that look for leaks. */
uint32_t countPorts(void) {
  uint32_t count = 0;
  for (Port *port = ports; port; port = port->next) count++;
  return count;
}
uint32_t countOps(void) { return pendingOps; }
