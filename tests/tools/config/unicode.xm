# Grüße
name = "süd-%d" % 1
kernel = "/k"
