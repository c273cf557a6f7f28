"""Problems of network files and item graphs, of their parms, and of making their work items."""

from __future__ import annotations

from topcook.model.problemcodes.row import Code

__all__ = ["NETWORKS"]

NETWORKS: tuple[Code, ...] = (
    Code("missing-file", "there is no such file", "The closest names in its directory are given."),
    Code("is-directory", "a directory was given for a file", "Name the file in it."),
    Code("not-a-file", "it is a device, pipe or socket", "Networks are read from regular files only."),
    Code("not-utf8", "the file is not UTF-8", "Save it as UTF-8."),
    Code("too-large", "the file is larger than any network", "It may be a file of another kind."),
    Code("too-deep", "the file is nested too deeply", "No network is: it may have been made by a program gone wrong."),
    Code("syntax", "the file is no TOML, JSON or Python", "The place is where its reader stopped."),
    Code("empty", "there is nothing in the file", "An item graph has an object for each item."),
    Code("more", "there are more problems than are shown", "Mend these first."),
    Code("refused", "it cannot be read or made", "The message says why."),
    Code("repeated-key", "a JSON object has a key twice", "Only one of them would count."),
    Code("wrong-type", "a value has the wrong type", "The message says what was found and what is expected."),
    Code("bad-name", "a name cannot be used", "The help says what names may be made of."),
    Code("bad-text", "a text has characters that no command or path can hold", "NUL, or half of a character."),
    Code("mixed-list", "a list mixes texts and numbers", "An attribute has values of one type."),
    Code("no-nodes", "the network has no nodes", "There is nothing to cook."),
    Code("unknown-profile", "the network has no profile of that name", "The closest name is given."),
    Code("unknown-node", "there is no node of that name", "The closest name is given."),
    Code("unknown-input", "an input names a node that there is not", "The closest name is given."),
    Code("unknown-display", "the display node does not exist", "The closest name is given."),
    Code("self-input", "a node has itself for an input", "Take it out."),
    Code("cycle", "nodes or items wait for each other in a circle", "The circle is written out: take one link away."),
    Code(
        "mapper-inputs", "a mapper has not the two inputs that it needs", "The first input is mapped onto the second."
    ),
    Code("self-dependency", "an item depends on itself", "Take it out."),
    Code("unknown-dependency", "an item depends on one that there is not", "The closest name is given."),
    Code("unknown-type", "there is no such node type", "The answer says what is known of the name."),
    Code("unknown-scheduler", "there is no such scheduler", "The answer says what is known of the name."),
    Code("unknown-parm", "a node or scheduler has no such parm", "The closest name is given."),
    Code("unknown-job-parm", "a scheduler has no such job parm", "The closest name is given."),
    Code("not-overridable", "a parm cannot be overridden for one node", "Only job parms can."),
    Code("bad-policy", "a parm about failures, time, resources or the cache cannot be read", "What it takes is named."),
    Code("unknown-resource", "an item needs a resource that there is not", "The closest name is given."),
    Code("too-few-resources", "an item needs more of a resource than there is", "It would wait for ever."),
    Code("expression", "an expression in a parm cannot be read", "The part that is wrong is named."),
    Code("snippet-syntax", "Python in a parm is no Python", "The line is that of the network file."),
    Code("snippet-yield", "Python in a parm yields", "Nobody goes through what it yields: use return."),
    Code("plain-secret", "a secret is written in plain text", "Name where it is kept; its line is not shown."),
    Code("generation", "making work items failed", "A node's callback raised, or what it made cannot be cooked."),
    Code("result-server-address", "an address of the result server is no address", "host or host:port."),
    Code("result-server-ports", "a range of ports is none", "first-last, or one port."),
)
