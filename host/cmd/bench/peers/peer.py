"""A peer answers requests, one JSON object a line, with the time that the work took."""
import json
import sys
import time


def serve(makers, about):
    """makers[op](request) prepares work and returns a function that does it once. What is prepared is kept until the
    op "forget", so that a repetition in another request finds it warm."""
    kept = {}
    for line in sys.stdin:
        try:
            print(json.dumps(answer(json.loads(line), makers, about, kept)), flush=True)
        except Exception as problem:  # the other side decides what a failure means
            print(json.dumps({"error": f"{type(problem).__name__}: {problem}"[:400]}), flush=True)


def answer(request, makers, about, kept):
    op, reps = request["op"], request.pop("reps")
    if op == "about":
        return {"text": about}
    if op == "forget":
        kept.clear()
        return {}
    key = json.dumps(request)
    if key not in kept:
        kept[key] = makers[op](request)
    work = kept[key]
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(reps):
        work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
