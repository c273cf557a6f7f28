/* A job that tells what it does: job FILE LOCKS NAME [GATE]

   It appends "start NAME ATTEMPT PID SECONDS" to FILE, works for some milliseconds, or until there is a file GATE, and
   appends "end ..." likewise. While it lives it holds a lock of the item's; who finds that held appends "overlap ...". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static int effects;

static void tell(const char *what, const char *name) {
    char line[256];
    struct timespec now;
    const char *attempt = getenv("PDG_ITEM_ATTEMPT");
    clock_gettime(CLOCK_MONOTONIC, &now);
    int length = snprintf(line, sizeof line, "%s %s %s %d %ld.%09ld\n", what, name, attempt ? attempt : "0", getpid(),
                          (long)now.tv_sec, now.tv_nsec);
    if (write(effects, line, length) != length)
        _exit(3);
}

int main(int count, char **arguments) {
    char path[4096];
    if (count < 4)
        return 2;
    effects = open(arguments[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    snprintf(path, sizeof path, "%s/%s", arguments[2], arguments[3]);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (effects < 0 || lock < 0)
        return 4;
    if (flock(lock, LOCK_EX | LOCK_NB))
        tell("overlap", arguments[3]);
    tell("start", arguments[3]);
    struct timespec work = {0, (long)(getpid() * 2654435761u % 6000u) * 1000};
    do
        nanosleep(&work, 0);
    while (count > 4 && access(arguments[4], F_OK));
    tell("end", arguments[3]);
    return 0;
}
