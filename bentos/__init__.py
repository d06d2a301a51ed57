"""The runners: one BentoML service a model, each an entry service of its own.

``runner.py`` makes a runner of any model, ``base.py`` of a base model, ``wire.py`` has the types of
``protocol`` as BentoML's input and output. A folder a runner holds its ``service.py`` and
``bentofile.yaml``.

BentoML gathers calls into batches and hands them to the model; the rest of it is replaced:

==================  ==========================  ================================================
                    BentoML does                we do, because
==================  ==========================  ================================================
batching            gathers calls by a          the same: this is what it is here for
                    deadline it learns
its first calls     waits for calls that do     ``warm_up`` makes twelve before it listens: it
                    not come, to learn          should not learn from people who wait
queue               unbounded                   ``admission`` answers 503 with Retry-After before
                                                a body is read: late answers help nobody
abandoned calls     computes them               ``backlog`` drops what expired or was left:
                                                the time belongs to those who wait
a bad item          fails its batch             ``backlog`` computes the batch's items one by
                                                one: others' images are not at fault
reading a body      fetches URLs, writes each   ``wire`` reads the request itself: no request to
                    image to a file             another host, nothing on a disk
writing an answer   a JSON schema an answer     ``wire`` writes by one adapter: a third of a
                                                call's processor time
metrics             count every path that       ``runner`` has a registry of its own, with the
                    was ever asked for          queue, the batches and what became of images
access log          a line a call               none: the front's tells of every request
traces              a provider of its own       ``tracing`` has it take ours, which lets nothing
                                                of a patient out
process             a manager beside the        ``__main__`` is the worker: 165 MB less a runner,
                    worker, on one port         and none that outlives it
replicas            workers in a process        one worker: queues do not merge; pods scale it
==================  ==========================  ================================================
"""
