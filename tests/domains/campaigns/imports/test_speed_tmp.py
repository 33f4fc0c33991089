import time, os, cProfile, pstats
import pytest
from app.domains.campaigns.imports.model import NewImport
from app.kit.crypto.base58 import encode58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.domains.campaigns.fair import Fair
N=int(os.environ.get("N","5000"))

async def test_speed(fair: Fair):
    keys=[encode58(Ed25519PrivateKey.generate().public_key().public_bytes_raw()) for _ in range(N)]
    lines=["telegram_id,discord_id,username,first_name,last_name,email,wallet_address,wallet_type,referral_code,referred_by,ethereum_address"]
    for i in range(N):
        eth="0x"+os.urandom(20).hex()
        lines.append(f"{i+1},d{i},user{i},Alice,\"Müller, {i}\",u{i}@example.com,{keys[i]},solana,C{i},{'C%d'%(i//3) if i%2 and i>3 else ''},{eth}")
    import msgspec; c=fair.services.files.settings; c.current=msgspec.structs.replace(c.current,max_upload_bytes=10**8)
    data="\n".join(lines).encode()
    async def body():
        yield data
    t=time.perf_counter()
    stored=await fair.services.files.upload(fair.alice, body())
    print("upload",len(data), time.perf_counter()-t)
    t=time.perf_counter()
    id=await fair.services.imports.start(fair.alice, NewImport(upload_id=stored.id),"k")
    if os.environ.get("PROF"):
        import threading
    await fair.services.importer.run({"id":str(id)})
    print("import", time.perf_counter()-t)
    print(dict(await fair.office.owner.fetchrow("select status,status_reason,total_rows,processed_rows,imported_count,refused_count from participant_imports")))
    print(await fair.office.owner.fetch("select * from participant_import_refusals limit 3"))
    t=time.perf_counter()
    e=await fair.services.exports.start(fair.alice,"k2")
    await fair.services.exporter.run({"id":str(e)})
    print("export", time.perf_counter()-t)
    print(dict(await fair.office.owner.fetchrow("select status,written_rows,size_bytes,status_reason from participant_exports")))
    st,parts=await fair.services.exports.open(fair.alice,e)
    print((await anext(parts)).decode(), (await anext(parts)).decode()[:500])
    pid=await fair.office.owner.fetchval("select id from participants where telegram_id=1")
    await fair.services.erasure.erase(fair.alice,pid)
    print(dict(await fair.row("participants",pid)))
