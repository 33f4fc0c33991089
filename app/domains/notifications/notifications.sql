-- name: notifications_by_ids
-- Notifications with these ids.
SELECT id, user_id, type, title, message, alert_id, data ->> 'symbol' AS symbol, (data ->> 'value')::numeric AS value,
       read, read_at, created_at
FROM notifications WHERE id = ANY($1::uuid[]);

-- name: notifications_by_user
-- The notifications of a user.
SELECT id, user_id, type, title, message, alert_id, data ->> 'symbol' AS symbol, (data ->> 'value')::numeric AS value,
       read, read_at, created_at
FROM notifications WHERE user_id = {key::uuid};

-- name: unread_counts
-- How many unread notifications these users have, counted up to 1,000.
SELECT k.user_id, c.unread
FROM unnest($1::uuid[]) AS k (user_id)
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS unread FROM (
        SELECT 1 FROM notifications WHERE user_id = k.user_id AND NOT read LIMIT 1000
    ) counted
) c;

-- name: mark_read
-- Marks these notifications of the user as read.
UPDATE notifications SET read = true, read_at = $3 WHERE user_id = $1 AND id = ANY($2::uuid[]) AND NOT read;

-- name: mark_read_until
-- Marks the notifications of the user up to a time as read.
UPDATE notifications SET read = true, read_at = $3 WHERE user_id = $1 AND created_at <= $2 AND NOT read;

-- name: insert_notifications
-- Adds notifications, in this order. The reference of an alert has a column, others are `reference` of the data.
INSERT INTO notifications (user_id, type, title, message, data, alert_id, created_at)
SELECT user_id, type, title, message,
       CASE WHEN type = 'alert' OR reference IS NULL THEN data
            ELSE data || jsonb_build_object('reference', reference) END,
       CASE WHEN type = 'alert' THEN reference END, $7
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::uuid[])
    WITH ORDINALITY AS n (user_id, type, title, message, data, reference, ord)
ORDER BY ord
RETURNING id, user_id, type, data, alert_id;

-- name: who_wants_mail
-- Which of these users also want their notifications by email.
SELECT user_id FROM user_settings
WHERE user_id = ANY($1::uuid[]) AND setting_name = 'notifications' AND setting_value @> '{"email": true}';

-- name: mails_of_notifications
-- The content and address of the mails about these notifications: one mail for each user whose address is verified.
SELECT u.email, array_agg(n.type ORDER BY n.id) AS types, array_agg(n.title ORDER BY n.id) AS titles,
       array_agg(n.message ORDER BY n.id) AS messages
FROM notifications n JOIN users u ON u.id = n.user_id
WHERE n.id = ANY($1::uuid[]) AND u.is_verified
GROUP BY u.id, u.email ORDER BY u.id;
