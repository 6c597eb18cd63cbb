/* Lines for a conversation: edited with libedit where a person types, else as they come. */
#include "chat.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HISTORY_LINES = 1000 };

struct line_reader {
    EditLine *editor; /* NULL: standard input is no terminal */
    History *history;
    const char *history_file, *prompt;
    char *line;
    size_t room;
};

static char *show_prompt(EditLine *editor)
{
    void *data = NULL;
    el_get(editor, EL_CLIENTDATA, &data);
    return (char *)(uintptr_t)((line_reader *)data)->prompt;
}

static void open_editor(line_reader *r)
{
    HistEvent event;
    r->editor = el_init("inox", stdin, stdout, stderr);
    r->history = r->editor != NULL ? history_init() : NULL;
    if (r->editor == NULL)
        return;
    el_set(r->editor, EL_CLIENTDATA, r);
    el_set(r->editor, EL_PROMPT, show_prompt);
    el_set(r->editor, EL_EDITOR, "emacs");
    el_set(r->editor, EL_SIGNAL, 1);
    if (r->history != NULL) {
        history(r->history, &event, H_SETSIZE, HISTORY_LINES);
        history(r->history, &event, H_SETUNIQUE, 1);
        el_set(r->editor, EL_HIST, history, r->history);
        if (r->history_file != NULL)
            history(r->history, &event, H_LOAD, r->history_file);
    }
    el_source(r->editor, NULL); /* ~/.editrc */
}

line_reader *line_reader_new(const char *history_file)
{
    line_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->history_file = history_file;
    if (input_is_terminal())
        open_editor(r);
    return r;
}

void line_reader_free(line_reader *r)
{
    HistEvent event;
    if (r == NULL)
        return;
    if (r->history != NULL && r->history_file != NULL) {
        mode_t before = umask(077); /* a conversation is nobody else's business */
        history(r->history, &event, H_SAVE, r->history_file);
        umask(before);
    }
    if (r->history != NULL)
        history_end(r->history);
    if (r->editor != NULL)
        el_end(r->editor);
    free(r->line);
    free(r);
}

static bool keep_line(line_reader *r, const char *text, size_t size)
{
    if (size + 1 > r->room) {
        char *more = realloc(r->line, size + 1);
        if (more == NULL)
            return false;
        r->line = more;
        r->room = size + 1;
    }
    memcpy(r->line, text, size);
    r->line[size] = '\0';
    return true;
}

static line_result read_edited(line_reader *r, const char *prompt, const char **line)
{
    int count = 0;
    r->prompt = prompt;
    const char *text = el_gets(r->editor, &count);
    if (interrupted())
        return LINE_INTERRUPTED;
    if (text == NULL || count <= 0)
        return count < 0 && errno != EINTR ? LINE_FAILED : LINE_END;
    size_t size = (size_t)count;
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (!keep_line(r, text, size))
        return LINE_FAILED;
    *line = r->line;
    return LINE_READ;
}

static line_result read_plain(line_reader *r, const char **line)
{
    ssize_t size = getline(&r->line, &r->room, stdin);
    if (size < 0)
        return interrupted() ? LINE_INTERRUPTED : ferror(stdin) ? LINE_FAILED : LINE_END;
    while (size > 0 && (r->line[size - 1] == '\n' || r->line[size - 1] == '\r'))
        r->line[--size] = '\0';
    *line = r->line;
    return LINE_READ;
}

line_result read_chat_line(line_reader *r, const char *prompt, const char **line)
{
    return r->editor != NULL ? read_edited(r, prompt, line) : read_plain(r, line);
}

void remember_line(line_reader *r, const char *text)
{
    HistEvent event;
    if (r->history != NULL && *text != '\0')
        history(r->history, &event, H_ENTER, text);
}
