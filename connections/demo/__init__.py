"""The product beside a simulated Sugar, for training and for looking around: only the demo command comes here.

`surroundings` settings of a demo · `stage` one sample connection and its instance · `stories` what befalls them ·
`samples` who they are · `run` puts all of it on.

For a look at size: `crowd` who thousands are · `pasts` what befell each · `seeding` writes them, by `loading`.
"""
