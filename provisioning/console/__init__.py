"""The manager's console: the fleet in a browser (`doorward serve`).

Rules kept here:
- Everything goes through `provisioning.fleet` and its neighbours, as on the command line; there is no second way to do
  anything, and nothing that the command line could not say.
- Every page works without JavaScript; with it, rows change while they are looked at, and that is all.
- Nothing comes from another host, and nothing is kept but users, who is signed in, and the manager's acts. What doors
  report lives in memory and ends with the program.
- A request counts for nothing until its session, its form token and its origin are right, in that order.
"""
