"""What runbooks print for somebody to type: statements for a database, commands of the product."""

import re

import alerts


def statements():
    """(page, module or `None`, statement); what is to be filled in is null."""
    for page, text in alerts.pages().items():
        for block in re.findall(r"^ *```sql\n(.*?)^ *```$", text, re.S | re.M):
            for statement in filter(str.strip, re.sub(r"--.*", "", block).split(";")):
                module = re.search(r"\b(auth|store|inventory|sales)\.\w", statement)
                yield page, module and module[1], statement.replace("'…'", "null")


def commands():
    """(page, subcommand): every `comptoir …` in code."""
    for page, text in alerts.pages().items():
        code = re.findall(r"```.*?```|`[^`]+`", text, re.S)
        for found in re.findall(r"\bcomptoir ([a-z][a-z-]*)", " ".join(code)):
            # The console of a database has a user and a name, both `comptoir`.
            if found != "comptoir":
                yield page, found
