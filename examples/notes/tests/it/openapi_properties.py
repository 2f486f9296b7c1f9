"""What `openapi_properties.rs` adds to Schemathesis: rows to ask for, and the check that none is foreign."""

import json
import os
import random

import schemathesis

OWN, FOREIGN = os.environ["NOTES_OWN"], os.environ["NOTES_FOREIGN"]
# Of each parameter: what stands for it in the own tenant, and what in the foreign one.
PARAMETERS = json.loads(os.environ["NOTES_PARAMETERS"])

chance = random.Random(7)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Most of what is made up leads nowhere: rows that are there are asked for, and foreign ones."""
    for name in case.path_parameters or {}:
        own, foreign = PARAMETERS.get(name, (None, None))
        lot = chance.random()
        if own and lot < 0.7:
            case.path_parameters[name] = own
        elif foreign and lot < 0.85:
            case.path_parameters[name] = foreign
        elif own and name == "tenant":
            case.path_parameters[name] = own


@schemathesis.check
class no_foreign_row:
    """What marks the other tenant's rows is in no answer, and what marks the own ones is in some."""

    def __init__(self):
        self.asked = set()
        self.seen = set()

    def after_response(self, ctx, response, case):
        self.asked.add(case.operation.label)
        text = json.dumps(dict(response.headers)) + response.text
        if OWN in text:
            self.seen.add(case.operation.label)
        if FOREIGN in text:
            raise AssertionError(f"a foreign row is in the answer: {text}")

    def after_run(self, ctx):
        with open(os.environ["NOTES_SEEN"], "w") as file:
            json.dump({"asked": sorted(self.asked), "seen": sorted(self.seen)}, file)
