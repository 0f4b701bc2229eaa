name = "s"
kernel = r"/k"
extra = 'a' "b"
