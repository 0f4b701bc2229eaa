import re
arch = 'x86_64'
def path(*parts):
    return '/'.join(('',) + parts)
if re.search('64', arch):
    libdir = path('usr', 'lib64')
kernel = path('boot', 'vmlinuz')
name = """python"""
memory = sum([32, 32])
maxmem = memory * 2
vcpus = len('ab')
disk = ['file:%s,%s,w' % (path('srv', n), d) for n, d in (('a', 'xvda'), ('b', 'xvdb'))]
bootloader = None
localtime = True
cpus = ("0", "1")
extra = ("console=hvc0 "
         "lib=" + libdir)
