/* The terminal, and Ctrl-C: the one file of the program that asks the system by itself. */
#include "cli.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts, at_once, never;

bool is_terminal(FILE *f)
{
    return isatty(fileno(f)) != 0;
}

bool input_is_terminal(void)
{
    return isatty(STDIN_FILENO) != 0;
}

static void on_interrupt(int number)
{
    if ((interrupts++ > 0 || at_once) && !never)
        _exit(EXIT_INTERRUPTED);
    (void)number;
}

void catch_interrupt(void)
{
    struct sigaction a = { .sa_handler = on_interrupt }, ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* a reader that left is an error of output */
}

void interrupt_at_once(void)
{
    at_once = 1;
}

void interrupt_never_ends(void)
{
    never = 1;
}

void clear_interrupt(void)
{
    interrupts = 0;
}

/* A file opened later must not become standard output because that was closed.  The wrong
 * direction makes every use an error. */
void keep_standard_files(void)
{
    struct stat st;
    for (int fd = 0; fd <= 2; fd++) {
        if (fstat(fd, &st) != 0) /* takes the lowest number that is free, and keeps it */
            (void)!fopen("/dev/null", fd == 0 ? "wb" : "rb");
    }
}

bool path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool interrupted(void)
{
    return interrupts > 0;
}

/* Not more than ten times a second. */
static bool is_time_to_draw(void)
{
    static double last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    if (seconds - last < 0.1)
        return false;
    last = seconds;
    return true;
}

void draw_amount(const char *what, uint64_t bytes)
{
    if (!is_time_to_draw())
        return;
    fprintf(stderr, "\r%s %.0f MB", what, (double)bytes / 1e6);
    fflush(stderr);
}

void draw_progress(const char *what, double fraction)
{
    if (fraction >= 1.0) {
        fprintf(stderr, "\r\033[K");
        return;
    }
    if (!is_time_to_draw())
        return;
    int done = (int)(fraction * 30);
    fprintf(stderr, "\r%s [", what);
    for (int i = 0; i < 30; i++)
        fputc(i < done ? '=' : ' ', stderr);
    fprintf(stderr, "] %3.0f %%", fraction * 100);
    fflush(stderr);
}
