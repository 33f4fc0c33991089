-- name: add_participants
-- More participants of a tenant, who came in the weeks before a time: tenant, how many there are, how many there are to
-- be, time.
INSERT INTO participants (id, tenant_id, livemode, telegram_id, username, locale, is_verified, referral_code,
    created_at, last_active_at)
SELECT md5('demo participant ' || n)::uuid, $1::uuid, true, 7000000000 + n, 'guest' || lpad(n::text, 3, '0'),
    ('{en,de-AT,pt-BR,ja,fr}'::text[])[1 + n % 5], n % 5 < 3, 'DEMO-' || lpad(n::text, 3, '0'),
    $4::timestamptz - ($3::integer - n) * interval '80 min', $4::timestamptz - ($3::integer - n) * interval '40 min'
FROM generate_series($2::integer, $3::integer - 1) n;

-- name: add_participations
-- All participants of a tenant take part in one of two projects, by turns: tenant, the two, a time before which all of
-- them have joined.
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, verification_status, joined_at)
SELECT md5('demo participation ' || p.id)::uuid, p.tenant_id, true, ($2::uuid[])[1 + p.n % 2], p.id,
    CASE WHEN p.is_verified THEN 'verified' ELSE 'pending' END, least(p.created_at + interval '5 min', $3::timestamptz)
FROM (
    SELECT id, tenant_id, is_verified, created_at, row_number() OVER (ORDER BY created_at, id) AS n
    FROM participants WHERE tenant_id = $1::uuid AND livemode
) p;

-- name: add_completions
-- Most of them have completed tasks since: tenant, time.
INSERT INTO task_completions (id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points,
    proof, created_at, reviewed_at)
SELECT md5('demo completion ' || p.id || t.key)::uuid, p.tenant_id, true, p.project_id, p.id, t.id, 1,
    CASE WHEN t.proof_kind = 'manual' AND c.chance > 200 THEN 'pending' ELSE 'accepted' END, t.points,
    CASE t.proof_kind WHEN 'manual' THEN 'https://social.example/' || left(md5(p.id::text), 8) END,
    least(p.joined_at + c.chance * interval '37 min', $2::timestamptz),
    CASE WHEN t.proof_kind = 'manual' AND c.chance <= 200 THEN $2::timestamptz END
FROM participations p JOIN tasks t USING (tenant_id, livemode, project_id),
    LATERAL (SELECT get_byte(decode(md5(p.id || t.key), 'hex'), 0) AS chance) c
WHERE p.tenant_id = $1::uuid AND p.livemode AND t.proof_kind <> 'payment' AND c.chance % 4 > 0;

-- name: add_entries
-- The points for what was accepted: tenant.
INSERT INTO point_entries (id, tenant_id, livemode, project_id, participation_id, amount, balance, reason,
    completion_id, created_at)
SELECT md5('demo entry ' || c.id)::uuid, c.tenant_id, true, c.project_id, c.participation_id, c.points,
    sum(c.points) OVER (PARTITION BY c.participation_id ORDER BY c.created_at, c.id), 'task', c.id, c.created_at
FROM task_completions c WHERE c.tenant_id = $1::uuid AND c.livemode AND c.status = 'accepted' AND c.points > 0;

-- name: sum_points
-- What participations have by their entries: tenant.
UPDATE participations p SET points = n.points, level = 1 + width_bucket(n.points, j.level_thresholds),
    next_level_points = j.level_thresholds[1 + width_bucket(n.points, j.level_thresholds)]
FROM projects j, LATERAL (
    SELECT coalesce(sum(e.amount), 0)::bigint AS points, p0.id FROM participations p0
    LEFT JOIN point_entries e ON e.participation_id = p0.id WHERE p0.project_id = j.id GROUP BY p0.id
) n
WHERE p.tenant_id = $1::uuid AND p.id = n.id AND j.id = p.project_id;

-- name: sum_counters
-- What is counted of the projects of a tenant: tenant.
INSERT INTO project_counters (tenant_id, livemode, project_id, shard, participants, completions)
SELECT p.tenant_id, p.livemode, p.project_id, mod(abs(hashtext(p.id::text)::bigint), 16), count(*),
    sum((SELECT count(*) FROM task_completions c WHERE c.participation_id = p.id AND c.status = 'accepted'))
FROM participations p WHERE p.tenant_id = $1::uuid GROUP BY 1, 2, 3, 4;
