"""How well the door recognises people, on any folder of person/picture: `python -m tools.evaluate --faces DIR`.

From a folder to a report in four steps, a module or two each:

1. `gathered` looks at every picture as the door does (`look`), also after it was spoilt in stated ways (`conditions`),
   and keeps every answer (`cache`), so that a run that was ended goes on where it stood.
2. `trials` makes templates and probes of the answers, as the door averages them.
3. `rates` and `resample` turn scores into error rates and their intervals; the units that are drawn again are people.
4. `measure` puts a report together, `text` and `plots` write it down.
"""
