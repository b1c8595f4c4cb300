-- Every request of the window with what is known of the person.
SELECT r.request_no::text, r.person::text, r.asked_at, lower(r.answer) AS answer,
       r.car_price, r.down_payment, lower(r.fuel) AS fuel, lower(p.salary_band) AS salary_band, p.years_with_licence
FROM requests AS r
LEFT JOIN people AS p USING (person)
WHERE r.asked_at >= $1 AND r.asked_at < $2
ORDER BY r.asked_at, r.request_no
