/* stamp FILE NUMBER MICROSECONDS: wait that long, then append "NUMBER BEGAN ENDED", monotonic seconds, to FILE. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    double began = now();
    char line[128];
    if (argc != 4)
        return 2;
    int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
    usleep(atoi(argv[3]));
    int length = snprintf(line, sizeof line, "%s %.7f %.7f\n", argv[2], began, now());
    _exit(write(file, line, length) != length);
}
